// SPDX-License-Identifier: Apache-2.0
// The error of a command that was asked for a thing that does not exist.

struct NotFound: Error, CustomStringConvertible {
    let what: String
    var description: String { "there is no \(self.what)" }
}
