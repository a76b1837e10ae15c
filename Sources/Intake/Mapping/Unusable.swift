// SPDX-License-Identifier: Apache-2.0
// Why an event of a proven sender cannot be used.

/// Names a reason of a closed list and a place, and never a value.
package struct Unusable: Error, Sendable, Equatable {
    package enum Reason: String, CaseIterable, Sendable {
        case notJSON = "not_json"
        case tooLarge = "too_large"
        case tooManyItems = "too_many_items"
        case missing
        case null
        case empty
        case wrongType = "wrong_type"
        case tooLong = "too_long"
        /// A text with control characters, with invisible ones, or not encoded as JSON demands.
        case badText = "bad_text"
        case badTime = "bad_time"
        /// More than five minutes later than now: nothing said until then would count.
        case timeAhead = "time_ahead"
        case repeatedKey = "repeated_key"
        case repeatedHeader = "repeated_header"
        /// A token or a text in base64 that cannot be decoded.
        case badEncoding = "bad_encoding"
        /// No element of a list is the one that is looked for.
        case noMatch = "no_match"
        case tenantNotAllowed = "tenant_not_allowed"
        /// A form of event or request that the configuration refuses.
        case unsupported

        /// What follows the place in a sentence.
        package var text: String {
            switch self {
            case .notJSON: "is not JSON"
            case .tooLarge: "is larger than 1 MiB"
            case .tooManyItems: "holds more than 10,000 items"
            case .missing: "is missing"
            case .null: "is null"
            case .empty: "is empty"
            case .wrongType: "has the wrong type"
            case .tooLong: "is longer than 255 bytes"
            case .badText: "has characters that are not allowed"
            case .badTime: "is not a time"
            case .timeAhead: "lies more than five minutes ahead"
            case .repeatedKey: "is there twice"
            case .repeatedHeader: "is there more than once"
            case .badEncoding: "cannot be decoded"
            case .noMatch: "has no element that fits"
            case .tenantNotAllowed: "names a tenant that this source may not speak for"
            case .unsupported: "has a form that this source does not take"
            }
        }
    }

    package let reason: Reason
    /// A JSON Pointer in the body, from its root; "header x-name"; empty for the body itself.
    package let place: String

    init(_ reason: Reason, _ place: String = "") {
        self.reason = reason
        self.place = place
    }
}
