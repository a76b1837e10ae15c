// SPDX-License-Identifier: Apache-2.0
// The name and the address that an event tells of its person, on their way into the ledger.

import Foundation
import Model

/// What a source tells that keeps names. An event of any other source has none.
struct NewName: Sendable {
    let told: PersonName
    /// Empty until it is sealed.
    var sealed: [SealedName] = []
}

/// The name as one tenant keeps it. Each tenant has keys of its own.
struct SealedName: Sendable {
    let tenant: TenantID
    let sealed: [UInt8]
    /// Nil: no address was told.
    let emailIndex: [UInt8]?
}

/// An event that may tell a name.
protocol NamingEvent: Sendable {
    var id: EventID { get }
    var receivedAt: Date { get }
    /// Whom the event is about.
    var namedUser: UserID { get }
    var name: NewName? { get set }
}

extension NewEvent: NamingEvent {
    var namedUser: UserID { self.change.user.user }
}

extension NewWord: NamingEvent {
    var namedUser: UserID { self.word.person }
}
