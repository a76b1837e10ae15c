// SPDX-License-Identifier: Apache-2.0
// What an event means: the first rule whose conditions hold says it.

import Model

struct Rule: Sendable {
    enum Meaning: Sendable {
        case ignore(IgnoreReason)
        /// An event that is ours and has a form that this source does not take.
        case quarantine
        case words([WordPart])
    }

    /// Where the rule stands in the configuration: "/rules/3".
    let place: String
    /// All of them must hold.
    let when: [Condition]
    let meaning: Meaning
    /// Nil: the source's.
    let deliveryID: Value?
    /// Nil: the source's.
    let answer: SenderAnswer?
}

/// One kind of word that an event says, once or for each element of a list.
struct WordPart: Sendable {
    var each: Each?
    /// Asked once.
    let when: [Condition]
    /// Asked for each element. Elements for which they do not hold are passed.
    let whenElement: [Condition]
    let person: Word.OfPerson?
    let membership: Word.OfMembership?
    let isWeak: Bool
    let isWhole: Bool
    let user: Value
    let organization: Value?
    /// The first that is there counts.
    let times: [TimeValue]
    let countsArrival: Bool
    let displayName: Value?
    let email: Value?

    struct Each: Sendable {
        let list: Place
        /// The places that are read in each element.
        var elements: JSONPlaces
        /// Whether a value that is no list stands for a list of one.
        let isSingleAllowed: Bool
        /// Whether an empty or absent list says the word once, without an organisation.
        let isOnceIfEmpty: Bool
    }

    /// Whether the word takes something away and gives nothing.
    var isTaking: Bool { self.person != .live && (self.membership == nil || self.membership == .gone) }
}

/// Why an event asks nothing of us. A closed list: ignored events are counted by it.
package enum IgnoreReason: String, CaseIterable, Sendable {
    /// No rule is about it.
    case unrelated
    /// The sender's own test send.
    case test
    /// Sent before the user exists, who may never come to be.
    case beforeEvent = "before_event"
    /// A visitor without an account.
    case anonymous
    /// A membership, at a source that has one fixed tenant.
    case membership
    /// A list that names nobody.
    case nobody
}
