// SPDX-License-Identifier: Apache-2.0
// One line of the decision table: what is known, what is said then, and what it comes to.

import TestSupport

@testable import Intake

struct DecisionCase: Sendable, CustomStringConvertible {
    let description: String
    let known: [Step]
    let said: [Said]
    /// Each with its detail.
    let outcomes: [String]
    /// Of user `u`, as `acme u live`.
    let users: [String]

    enum Step: Sendable {
        case said(Said)
        /// An operator revokes the user at a minute.
        case revoked(Int)
        /// An organisation is mapped to a tenant.
        case mapped(String, String)
    }

    init(_ description: String, _ known: [Step] = [], _ said: Said..., is outcomes: String..., users: String...) {
        self.description = description
        self.known = known
        self.said = said
        self.outcomes = outcomes
        self.users = users
    }

    /// Tells all of it. Returns what became of the words that are said then.
    func outcomes(
        in database: TestDatabase, changing change: @escaping WordBed.Change = { $0 }
    ) async throws -> [String] {
        try await WordBed.prepare(database)
        for step in self.known {
            switch step {
            case .said(let said): _ = try await WordBed.say([said], database, changing: change)
            case .revoked(let minute): try await WordBed.revokeByOperator(at: minute, database)
            case .mapped(let organization, let tenant): try await WordBed.map(organization, to: tenant, database)
            }
        }
        return try await WordBed.say(self.said, database, changing: change)
    }

    static let all = Self.joins + Self.holds + Self.leaves + Self.people + Self.lists + Self.mappings

    private static let joins = [
        DecisionCase("the organisation is not mapped", [], .joins("o9", 10), is: "quarantined unmapped"),
        DecisionCase("the organisation is none of ours", [], .joins("none", 10), is: "ignored"),
        DecisionCase("a join not after the deletion", [.said(.deleted(20))], .joins("o1", 20), is: "superseded"),
        DecisionCase(
            "a join before the list", [.said(.list("o3", 20))], .joins("o1", 10), is: "superseded",
            users: "globex u live"),
        DecisionCase("a join not after the leave", [.said(.leaves("o1", 20))], .joins("o1", 20), is: "superseded"),
        DecisionCase("a suspended person", [.said(.suspended(10))], .joins("o1", 20), is: "accepted suspended"),
        DecisionCase("nothing is known", [], .joins("o1", 10), is: "accepted", users: "acme u live"),
        DecisionCase(
            "the person has left before", [.said(.leaves("o1", 10))], .joins("o1", 20), is: "accepted",
            users: "acme u live"),
        DecisionCase(
            "the person is a member", [.said(.joins("o1", 10))], .joins("o1", 20), is: "duplicate", users: "acme u live"
        ),
        DecisionCase("an update brings in", [], .joins("o1", 10).weak, is: "accepted", users: "acme u live"),
        DecisionCase(
            "an update lifts its own source's leave", [.said(.joins("o1", 10)), .said(.leaves("o1", 20))],
            .joins("o1", 30).weak, is: "accepted", users: "acme u live"),
        DecisionCase(
            "a fixed tenant without an organisation", [], Said(ofMembership: .live, tenant: "acme", minute: 10),
            is: "accepted", users: "acme u live"),
        DecisionCase(
            "an invitation and then the join", [], .invited("o1", 10), .invited("o1", 11), .joins("o1", 20),
            is: "accepted invited", "duplicate", "accepted", users: "acme u live"),
        DecisionCase(
            "an invitation of a member", [.said(.joins("o1", 10))], .invited("o1", 20), is: "duplicate",
            users: "acme u live"),
    ]

    private static let holds = [
        DecisionCase(
            "an operator has revoked, and the word is older", [.said(.joins("o1", 10)), .revoked(30)], .joins("o1", 25),
            is: "superseded held", users: "acme u gone"),
        DecisionCase(
            "an operator has revoked, and the word is newer but for the clocks",
            [.said(.joins("o1", 10)), .revoked(30)], .joins("o1", 26), is: "accepted", users: "acme u live"),
        DecisionCase(
            "a profile edit after an operator's revoke", [.said(.joins("o1", 10)), .revoked(30)], .exists(90).weak,
            .joins("o1", 91).weak, .exists(92), .joins("o1", 93),
            is: "superseded held", "superseded held", "superseded held", "accepted", users: "acme u live"),
        DecisionCase(
            "an import of old events after an operator's revoke", [.said(.joins("o1", 10)), .revoked(30)],
            .joins("o1", 15).weak, .joins("o1", 16), is: "superseded held", "superseded held", users: "acme u gone"),
        DecisionCase(
            "another source has deleted", [.said(.joins("o1", 10).elsewhere), .said(.leaves("o1", 20).elsewhere)],
            .joins("o1", 25), .joins("o1", 26).weak, .joins("o1", 27),
            is: "superseded other_source", "superseded other_source", "accepted", users: "acme u live"),
        DecisionCase(
            "another source's leave, and an update",
            [.said(.joins("o1", 10).elsewhere), .said(.leaves("o1", 20).elsewhere)], .joins("o1", 90).weak,
            is: "superseded other_source", users: "acme u gone"),
        DecisionCase(
            "a second source whose clock is ahead", [.said(.joins("o1", 10))], .joins("o1", 13).elsewhere,
            .leaves("o1", 12), is: "accepted", "accepted", users: "acme u gone"),
        DecisionCase(
            "a leave that is older than another source's join",
            [.said(.joins("o1", 10)), .said(.joins("o1", 50).elsewhere)], .leaves("o1", 20),
            is: "superseded other_source", users: "acme u live"),
    ]

    private static let leaves = [
        DecisionCase(
            "a newer join is known", [.said(.joins("o1", 20))], .leaves("o1", 10), is: "superseded",
            users: "acme u live"),
        DecisionCase(
            "another organisation of the tenant is left", [.said(.joins("o1", 10)), .said(.joins("o2", 10))],
            .leaves("o1", 20), is: "accepted", users: "acme u live"),
        DecisionCase(
            "the last one", [.said(.joins("o1", 10))], .leaves("o1", 20), is: "accepted", users: "acme u gone"),
        DecisionCase("the membership is not known", [], .leaves("o1", 20), is: "accepted"),
        DecisionCase(
            "the person has left before", [.said(.joins("o1", 10)), .said(.leaves("o1", 20))], .leaves("o1", 30),
            is: "duplicate", users: "acme u gone"),
        DecisionCase(
            "the leave of one organisation is told after the newer leave of the other",
            [.said(.joins("o1", 10)), .said(.joins("o2", 10)), .said(.leaves("o2", 22))], .leaves("o1", 15),
            is: "accepted", users: "acme u gone"),
        DecisionCase(
            "arrival counts, whatever the clock of the join was", [.said(.joins("o1", 9_000_000))],
            .leaves("o1", nil).onArrival, .joins("o1", nil).onArrival, is: "accepted", "accepted", users: "acme u live"),
    ]

    private static let people = [
        DecisionCase("not after the deletion", [.said(.deleted(20))], .exists(20), is: "superseded"),
        DecisionCase("not after the suspension", [.said(.suspended(20))], .exists(20), is: "superseded"),
        DecisionCase(
            "no membership counts", [], .exists(10), .exists(20), is: "accepted waits", "duplicate"),
        DecisionCase(
            "a member, told late", [.said(.joins("o1", 20)), .said(.exists(30))], .exists(10), is: "duplicate",
            users: "acme u live"),
        DecisionCase(
            "after the suspension", [.said(.joins("o1", 10)), .said(.suspended(20))], .exists(30), is: "accepted",
            users: "acme u live"),
        DecisionCase(
            "a suspension told before", [.said(.joins("o1", 10)), .said(.exists(30))], .suspended(20), is: "superseded",
            users: "acme u live"),
        DecisionCase(
            "a suspension", [.said(.joins("o1", 10)), .said(.joins("o3", 10))], .suspended(20), .suspended(30),
            is: "accepted", "duplicate", users: "acme u gone", "globex u gone"),
        DecisionCase(
            "a deletion voids what was told up to it", [.said(.joins("o1", 10)), .said(.joins("o3", 30))], .deleted(20),
            .deleted(20), .deleted(15), is: "accepted", "duplicate", "superseded", users: "acme u gone",
            "globex u live"),
        DecisionCase(
            "a deletion without a time wins for good", [.said(.joins("o1", 10))], .deleted(nil), .joins("o1", 90),
            is: "accepted", "superseded", users: "acme u gone"),
        DecisionCase(
            "the deletion comes last and lay between", [.said(.suspended(10)), .said(.joins("o1", 30))], .deleted(20),
            is: "accepted"),
        DecisionCase(
            "a late deletion between two lives", [.said(.exists(50)), .said(.joins("o1", 10))], .deleted(30),
            is: "accepted", users: "acme u gone"),
    ]

    private static let lists = [
        DecisionCase(
            "who is not listed has left", [.said(.joins("o1", 10)), .said(.joins("o3", 10))], .list("o1", 20),
            is: "accepted", users: "acme u live", "globex u gone"),
        DecisionCase(
            "nothing is new", [.said(.joins("o1", 10))], .list("o1", 20), is: "duplicate", users: "acme u live"),
        DecisionCase(
            "a newer list is known", [.said(.list("o1", 20))], .list("o3", 10), is: "superseded", users: "acme u live"),
        DecisionCase(
            "an empty list", [.said(.joins("o1", 10))], .list(nil, 20), .list(nil, 30), is: "accepted", "duplicate",
            users: "acme u gone"),
    ]

    private static let mappings = [
        DecisionCase(
            "a leave goes to where the membership is bound", [.said(.joins("o1", 10)), .mapped("o1", "globex")],
            .leaves("o1", 20), is: "accepted", users: "acme u gone"),
        DecisionCase(
            "a leave of a membership that is void goes to where it was bound",
            [
                .said(.joins("o1", 10)), .said(.deleted(20)), .mapped("o1", "globex"),
                .said(.joins("o3", 25).elsewhere),
            ], .leaves("o1", 30), is: "accepted", users: "acme u gone", "globex u live"),
        DecisionCase(
            "a membership that counts stays where it is bound", [.said(.joins("o1", 10)), .mapped("o1", "globex")],
            .joins("o1", 20), is: "duplicate", users: "acme u live"),
        DecisionCase(
            "a membership told before the mapping is bound by its repetition",
            [.said(.joins("o9", 30)), .mapped("o9", "acme")], .joins("o9", 30), is: "accepted", users: "acme u live"),
        DecisionCase(
            "a leave told before the mapping still counts",
            [.said(.joins("o9", 10)), .said(.leaves("o9", 20)), .mapped("o9", "acme")], .joins("o9", 10),
            is: "superseded"),
        DecisionCase(
            "a source of one tenant reaches no other", [], Said.joins("o3", 10).with { $0.owner = "acme" },
            is: "quarantined unmapped"),
    ]
}
