// SPDX-License-Identifier: Apache-2.0
// What one word is worth to the model: whether it is news, whom it touches, and what it leaves.

@testable import Intake

/// As `TrackedFacts.judged`.
struct Judged: Sendable {
    private let word: ModelWord
    private let membership: FactsModel.Membership?
    /// The tenant that the word on the membership is for: where it is bound, or what the mapping says.
    private let target: Int?
    private let isMemberNews: Bool
    private let isPersonNews: Bool
    private let isListNews: Bool
    private let binds: Bool

    init(_ word: ModelWord, _ person: FactsModel.Person, _ mapped: [Int?]) {
        let membership = word.organization.flatMap { person.memberships[$0] }
        let isLive = membership?.isLive == true
        var target = word.organization.flatMap { mapped[$0] }
        if let membership, let bound = membership.bound,
            word.ofMembership == .gone || isLive && person.leaves(membership.toldAt)
        {
            target = bound
        }
        let told = membership?.isLive == nil ? nil : membership?.toldAt
        self.isMemberNews =
            switch word.ofMembership {
            case .live?: person.leaves(word.time) && (told.map { word.time > $0 } ?? true)
            case .gone?: told.map { word.time >= $0 } ?? true
            default: false
            }
        self.isPersonNews =
            switch word.ofPerson {
            case .live?: word.time > person.toldAt
            case .suspended?: word.time >= person.toldAt
            case .deleted?: person.endedAt.map { word.time >= $0 } ?? true
            case nil: false
            }
        self.isListNews = word.isWhole && (person.listedAt.map { word.time >= $0 } ?? true)
        self.binds = word.ofMembership == .live && isLive && membership?.bound == nil && target != nil
        self.word = word
        self.membership = membership
        self.target = target
    }

    /// The person's facts with the word taken in, as `TrackedFacts.after`.
    func after(_ person: FactsModel.Person) -> FactsModel.Person {
        var after = person
        if self.isListNews { after.listedAt = self.word.time }
        guard self.isPersonNews else { return after }
        if self.word.ofPerson == .deleted {
            after.endedAt = self.word.time
        } else {
            after.isSuspended = self.word.ofPerson == .suspended
            after.toldAt = self.word.time
        }
        return after
    }

    /// Whether the person is a member of the tenant now. Nil: the word does not make the tenant due (`TrackedDue`).
    func isMember(of tenant: Int, _ after: FactsModel.Person) -> Bool? {
        let isNamed = (self.isMemberNews || self.binds) && self.target == tenant
        let isBound = after.memberships.contains { $0?.bound == tenant }
        guard isNamed || (self.isPersonNews || self.isListNews) && isBound else { return nil }
        let isMember = !after.isSuspended && (isNamed && self.counts(after) || self.others(of: tenant, isNamed, after))
        let isDue =
            isMember
            ? isNamed && self.word.ofMembership == .live || self.word.ofPerson == .live
            : isNamed && self.word.ofMembership == .gone || self.isListNews || self.word.ofPerson == .suspended
                || self.word.ofPerson == .deleted
        return isDue ? isMember : nil
    }

    /// Whether the membership that the word names counts. The facts do not have the word yet.
    private func counts(_ after: FactsModel.Person) -> Bool {
        guard self.word.ofMembership == .live else { return false }
        return self.isMemberNews || after.leaves(self.membership?.toldAt ?? Int.min)
    }

    private func others(of tenant: Int, _ isNamed: Bool, _ after: FactsModel.Person) -> Bool {
        for place in after.memberships.indices where !(isNamed && place == self.word.organization) {
            guard let one = after.memberships[place], one.bound == tenant, one.isLive == true else { continue }
            if after.leaves(one.toldAt) { return true }
        }
        return false
    }

    /// As `TrackedWrites.memberships`.
    func write(_ membership: inout FactsModel.Membership?) {
        guard self.isMemberNews || self.binds || self.word.ofMembership == .invited else { return }
        var next = membership ?? FactsModel.Membership()
        if self.isMemberNews {
            next.isLive = self.word.ofMembership == .live
            next.toldAt = self.word.time
        }
        if self.word.ofMembership != .invited { next.bound = self.target ?? next.bound }
        membership = next
    }
}
