// SPDX-License-Identifier: Apache-2.0
// A word in numbers, for the model: who says what of whom, and when.

@testable import Intake

/// People, organisations and tenants are their places in `FactsModel`.
struct ModelWord: Sendable {
    let person: Int
    let ofPerson: Word.OfPerson?
    /// Nil: none is named.
    let organization: Int?
    let ofMembership: Word.OfMembership?
    let isWhole: Bool
    /// Without a time a word that gives is older than all others, and one that takes away is newer.
    let time: Int

    init(_ said: Said) {
        let takesAway = said.ofMembership == .gone || said.ofPerson == .suspended || said.ofPerson == .deleted
        self.person = said.user == "0" ? 0 : 1
        self.ofPerson = said.ofPerson
        self.organization = said.organization.flatMap { FactsModel.organizations.firstIndex(of: $0) }
        self.ofMembership = self.organization == nil ? nil : said.ofMembership
        self.isWhole = said.isWhole
        self.time = said.minute ?? (takesAway ? Int.max : Int.min)
    }
}
