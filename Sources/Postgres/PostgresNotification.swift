// SPDX-License-Identifier: Apache-2.0
// A NOTIFY that reached us: a hint that something changed, never the truth.

package struct PostgresNotification: Sendable, Equatable {
    package let channel: String
    package let payload: String
}
