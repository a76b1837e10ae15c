// SPDX-License-Identifier: Apache-2.0
// Why requests cannot be served although the database is there; `readyz` tells people.

package struct NotReady: Error {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
}
