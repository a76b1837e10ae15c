// SPDX-License-Identifier: Apache-2.0
// The tracked writer in memory: people, memberships and users of one source, changed by one word after the other.

@testable import Intake

/// Each step has the name of its part of the statement. A rule that is changed there is changed here too.
struct FactsModel: Sendable, Equatable {
    static let organizations = ["o1", "o2", "o3", "o9"]
    private static let tenants = ["acme", "globex"]
    /// The mapping: the tenant of each organisation.
    private static let mapped: [Int?] = [0, 0, 1, nil]

    struct Membership: Sendable, Equatable {
        /// Nil: an invitation alone.
        var isLive: Bool?
        var toldAt = Int.min
        var bound: Int?
    }

    struct Person: Sendable, Equatable {
        var isSuspended = false
        var toldAt = Int.min
        var endedAt: Int?
        var listedAt: Int?
        var memberships: [Membership?] = [nil, nil, nil, nil]
        /// Who is wanted at each tenant.
        var users = [false, false]

        /// Whether nothing that ends memberships is newer than a membership of that time.
        func leaves(_ toldAt: Int) -> Bool {
            (self.endedAt.map { toldAt > $0 } ?? true) && (self.listedAt.map { toldAt >= $0 } ?? true)
        }
    }

    private(set) var people = [Person(), Person()]

    /// The users who are wanted, as `acme 0`.
    var wanted: [String] {
        self.people.indices.flatMap { person in
            Self.tenants.indices.filter { self.people[person].users[$0] }.map { "\(Self.tenants[$0]) \(person)" }
        }
    }

    /// Takes a word in.
    mutating func take(_ word: ModelWord) {
        let before = self.people[word.person]
        let judged = Judged(word, before, Self.mapped)
        var after = judged.after(before)
        for tenant in Self.tenants.indices {
            guard let isMember = judged.isMember(of: tenant, after) else { continue }
            after.users[tenant] = isMember
        }
        if let organization = word.organization { judged.write(&after.memberships[organization]) }
        self.people[word.person] = after
    }
}
