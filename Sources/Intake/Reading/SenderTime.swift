// SPDX-License-Identifier: Apache-2.0
// A sender's own time of a change, which orders a create and a delete that arrive in the wrong order.

package import Foundation
package import Model

package enum SenderTime {
    /// Reads a time of a body. Nil when it is no time. Throws when the text cannot be read, or its day does not exist.
    ///
    /// No sign-up happened before 1970. Such a time, and the first second of 1970, is what libraries write for a time
    /// that was never set: Go's year 1, or a Unix time of 0. Taken as a time it would make a delete older than every
    /// sign-up.
    ///
    /// A time without a zone is refused, unless `assumesUTC` says that this sender means UTC.
    package static func read(_ text: String, at place: String, assumesUTC: Bool = false) throws(InvalidValue) -> Date? {
        guard let date = RFC3339.date(text, assumesUTC: assumesUTC) else { throw Self.error(at: place) }
        return date.timeIntervalSince1970 < 1 ? nil : date
    }

    static func error(at place: String) -> InvalidValue {
        InvalidValue(place, "must be an RFC 3339 time such as 2026-01-01T00:00:00Z")
    }
}
