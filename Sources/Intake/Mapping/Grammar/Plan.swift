// SPDX-License-Identifier: Apache-2.0
// A configuration as it was compiled: everything that reading one request needs.

package import Model

/// What one form of request means. A source has one plan, and further ones for the forms that its headers tell apart.
struct Plan: Sendable {
    var body = BodyForm.json
    var split: Split?
    /// The places that are read of the whole body of a split request.
    var requestPlaces = JSONPlaces()
    var eventPlaces = JSONPlaces()
    var type: Value?
    var deliveryID: Value?
    /// Shown by a trace alone: who did it is often taken for whom it is about.
    var actor: Value?
    /// The rules that ignore come first.
    var rules: [Rule] = []
    var ignoredUsers: [IgnoredUser] = []
    var tenants: TenantChoice
    /// What a word without an organisation comes to: the word on the person alone, or nothing that can be used.
    var takesPersonAlone = false

    enum BodyForm: Sendable {
        case json
        /// JSON, or anything else: then only headers are read.
        case optionalJSON
        /// The claims of a token, which is the body or stands in it.
        case token(JSONPointer)
    }

    /// One request holds several deliveries.
    struct Split: Sendable {
        let pointer: JSONPointer
        /// In `requestPlaces`.
        let number: Int
        /// Whether an object stands for a list of one.
        let isSingleAllowed: Bool
        /// Whether the body may be lines with one JSON value each (NDJSON).
        let isLinesAllowed: Bool
    }

    enum IgnoredUser: Sendable {
        case exactly(String)
        case beginning(String)
    }
}

/// How a source's words come to a tenant.
package enum TenantChoice: Sendable, Equatable {
    /// All words are for this one, and memberships do not matter.
    case fixed(TenantID)
    /// The event names the tenant itself, and may name only these.
    case allowed(Set<TenantID>)
    /// The event names an organisation, and a table leads from it to a tenant.
    case table
}
