// SPDX-License-Identifier: Apache-2.0
// What one item of a delivery says of a person and of one membership.

package import Foundation
package import Model

/// At most one word on the person and one on a membership, with one time.
package struct Word: Sendable, Equatable {
    package enum OfPerson: String, Sendable { case live, suspended, deleted }
    package enum OfMembership: String, Sendable { case live, gone, invited }

    /// When the sender says that it happened.
    package enum Moment: Sendable, Equatable {
        case at(Date)
        /// The sender gave none: a live word is older than all others, a gone word newer.
        case unknown
        /// The time of arrival counts, as the database's clock has it under the person's lock.
        case arrival
    }

    package var person: UserID
    package var ofPerson: OfPerson?
    /// The source's own id of the organisation, as it wrote it; nil when the word names none.
    package var organization: String?
    package var ofMembership: OfMembership?
    /// The tenant that the configuration gives without the mapping table: a fixed one, or an allowed value.
    package var tenant: TenantID?
    package var moment: Moment
    /// The word stands in an update: it brings in who is unknown or waits, and never undoes an operator's revoke.
    package var isWeak: Bool
    /// The word ends a complete list of the person's organisations.
    package var isWhole: Bool
    /// Where the preset says a display name and an e-mail address stand. Stored only where that is switched on.
    package var displayName: String?
    package var email: String?
}
