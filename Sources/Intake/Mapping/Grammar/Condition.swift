// SPDX-License-Identifier: Apache-2.0
// What a rule asks of an event before it applies.

import Model

indirect enum Condition: Sendable {
    case place(Place, Test)
    case header(String, Test)
    case not(Condition)

    enum Test: Sendable {
        /// One of these, of the same kind: the number 1 is not the text "1".
        case oneOf([JSONScalar])
        case prefix(String)
        /// There and not null, or the opposite.
        case exists(Bool)
        /// Absent, null, "", [] or {}, or the opposite.
        case isEmpty(Bool)
        case sameAs(Place)
    }

    /// Whether it may hold for one element of an `each` and not for another.
    var isOfElement: Bool {
        switch self {
        case .place(let place, .sameAs(let other)): place.scope == .element || other.scope == .element
        case .place(let place, _): place.scope == .element
        case .header(_, .sameAs(let other)): other.scope == .element
        case .header: false
        case .not(let condition): condition.isOfElement
        }
    }
}
