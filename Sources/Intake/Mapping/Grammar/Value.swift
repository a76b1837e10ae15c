// SPDX-License-Identifier: Apache-2.0
// Where a value of an event comes from, as the grammar says it.

import Model

/// A source of one text. `ReadValue` makes it of a configuration, and `Picking` reads it of an event.
indirect enum Value: Sendable {
    case place(Place)
    case header(Header)
    /// The delivery's id, where the proof covers one.
    case provenID
    case fixed(String)
    /// The first that is there.
    case first([Value])
    case find(Find)
    case held(Held)
    /// Those that are there, with a blank between them.
    case joined([Value])
    case composite([Part])
    /// The SHA-256 of the event's bytes.
    case hash

    struct Header: Sendable {
        let name: String
        /// Whether the sender wrote it in percent-encoding (RFC 3986), as CloudEvents does.
        let isPercentEncoded: Bool
    }

    /// An element of an array: the first that fits, and a place in it.
    struct Find: Sendable {
        /// By which its text is remembered while elements of one list are read.
        let number: Int
        let list: Place
        let elements: JSONPlaces
        let whereAt: Int
        let fits: Fits
        let take: Place
    }

    enum Fits: Sendable {
        case equals(JSONScalar)
        case sameAs(Place)
    }

    /// A place in a JSON text that a member holds as a string. An object there is taken as it is.
    struct Held: Sendable {
        /// By which its text is remembered while elements of one list are read.
        let number: Int
        let place: Place
        let isBase64: Bool
        let inner: JSONPlaces
        let take: Place
    }

    /// One part of a composite id.
    struct Part: Sendable {
        let value: Value
        /// Without it there is no composite id: two events would have the same one.
        let isRequired: Bool
        /// Whether the time of arrival stands for a part that is missing, when the event takes something away.
        let isArrival: Bool
    }

    /// Whether it has another value for each element of an `each`.
    var isOfElement: Bool {
        switch self {
        case .place(let place): place.scope == .element
        case .header, .provenID, .fixed, .hash: false
        case .first(let values), .joined(let values): values.contains(where: \.isOfElement)
        case .held(let held): held.place.scope == .element
        case .composite(let parts): parts.contains(where: \.value.isOfElement)
        case .find(let find):
            if case .sameAs(let place) = find.fits, place.scope == .element {
                true
            } else {
                find.list.scope == .element
            }
        }
    }
}

/// A place in a body.
struct Place: Sendable {
    enum Scope: Sendable { case request, event, element, inner }

    /// What a text may be made of. A number that is no integer has several texts, so it is no id.
    enum Kinds: Sendable { case text, textOrInteger, textOrNumber }

    let scope: Scope
    /// The place's number in the scope's `JSONPlaces`.
    let number: Int
    let pointer: JSONPointer
    var kinds: Kinds = .textOrInteger
    /// The text must begin so, and what follows is the value. Another text is none.
    var prefix: String?
    /// Whether a member on the way is named as secret: no trace shows the value.
    var isSecret = false
}

/// A time's place and how it is written there.
struct TimeValue: Sendable {
    enum Form: String, CaseIterable, Sendable {
        /// RFC 3339 with a zone.
        case rfc3339
        /// RFC 3339; a time without a zone is UTC.
        case utc = "rfc3339-utc"
        case seconds, milliseconds
        /// A number below 10^11 is seconds, another one milliseconds. 10^11 seconds are the year 5138.
        case auto
    }

    let value: Value
    let form: Form
}
