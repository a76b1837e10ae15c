// SPDX-License-Identifier: Apache-2.0
// The reasons of a page of users, or of one: read the facts, apply the rules.

import Foundation
package import Model
import Postgres

package struct Reasons: Sendable {
    let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns the reason of each user that there is, by the user's id. One round trip, whatever the number.
    package func why(
        _ users: [UserID], of tenant: TenantID, as reader: Reader
    ) async throws -> [String: Why] {
        // The place in line is a walk of its own, which a page cannot pay for each of its users.
        var statements = [WhySelect.tenant(tenant), WhySelect.facts(users, of: tenant, withRank: users.count == 1)]
        let asksForWorkers = self.reads.workers.isDue()
        if asksForWorkers { statements.append(WhySelect.workers) }
        let rows = try await self.reads.rows(as: reader, statements)
        guard let row = rows[0].first else { return [:] }
        if asksForWorkers { self.reads.workers.see(try rows[2].first?.decode(Bool?.self) ?? nil) }
        var tenantFacts = try WhySelect.readTenant(row)
        tenantFacts.hasWorker = self.reads.workers.seen
        var reasons: [String: Why] = [:]
        for row in rows[1] {
            let (user, facts, now) = try WhySelect.readUser(row)
            reasons[user] = Why.of(facts, tenantFacts, now: now).naming(user, of: tenant)
        }
        return reasons
    }

    /// Returns the reason of one user. For a user who does not exist it says what was told of the user, and else what
    /// the tenant's own sources have lately sent in vain. An operator is told of the shared sources too, when the
    /// tenant's own have nothing.
    package func why(_ user: UserKey, as reader: Reader) async throws -> Why {
        let own = Senders.own(user.tenant)
        if let known = try await self.why([user.user], of: user.tenant, as: reader)[user.user.rawValue] { return known }
        let rows = try await self.reads.rows(
            as: reader,
            [WhySelect.told(user), WhySelect.kept(of: own), Refusals.newest(of: own)])
        if let row = rows[0].first {
            let (at, outcome, detail) = try row.decode(Date.self, String.self, String?.self)
            return Self.told(outcome, detail, at: at, user)
        }
        if let why = try Self.sentInVain(rows[1], rows[2], user, own) { return why }
        if reader.seesShared {
            let shared = Senders.shared(user.tenant)
            let kept = try await self.reads.rowsOfAll(by: reader.key, WhySelect.kept(of: shared))
            let refused = try await self.reads.rowsOfAll(by: reader.key, Refusals.newest(of: shared))
            if let why = try Self.sentInVain(kept, refused, user, shared) { return why }
        }
        let whose = reader.seesShared ? "this tenant's own and shared" : "this tenant's own"
        let rest = reader.seesShared ? "" : "; a source that several tenants share is an operator's to look at"
        return Why(
            .unknown,
            """
            is not known: no sign-up was taken in, and \(whose) sources were refused nothing in the last 14 days\(rest)
            """,
            action: "\(Self.otherID(user)); else check that the sender delivers to the source's address")
    }

    /// What may be the user's among what was kept and what was refused; nil: neither has anything.
    private static func sentInVain(
        _ keptRows: PostgresRows, _ refusedRows: PostgresRows, _ user: UserKey, _ senders: Senders
    ) throws -> Why? {
        let kept = try keptRows.first?.decode(String.self, String.self, Date.self)
        let refused = try refusedRows.first?.decode(String.self, String.self, Int64.self, Date.self)
        let shared = senders.isShared ? ", which several tenants share," : ""
        // The newer one is the likelier one.
        if let kept, refused.map({ $0.3 < kept.2 }) ?? true {
            return Self.kept(by: kept.0 + shared, kept.1, at: kept.2, user)
        }
        return refused.map { Self.refused($0.0 + shared, $0.1, count: $0.2, at: $0.3, user) }
    }

    private static func told(_ outcome: String, _ detail: String?, at: Date, _ user: UserKey) -> Why {
        let look = "see what was told: dialtone event list --user \(ShellWord.quoted(user.user.rawValue))"
        let (words, action): (String, String) =
            switch detail {
            case "waits":
                (
                    "the person was told of, and has no membership of an organisation yet",
                    "add the membership at the sender"
                )
            case "invited": ("an invitation gives nothing before it is accepted", "wait until it is accepted")
            case "suspended": ("the person is suspended", "end the suspension at the sender")
            case nil where outcome == "accepted": ("what was told last gives no phone", look)
            default: ("what was told last changed nothing (\(detail ?? outcome))", look)
            }
        return Why(.unknown, "is not known yet: \(words)", since: at, action: action)
    }

    private static func kept(by slug: String, _ reason: String, at: Date, _ user: UserKey) -> Why {
        Why(
            .unknown,
            """
            is not known: no sign-up was taken in; it may be among what \(slug) has sent and could not be used, which is \
            kept, the last at \(RFC3339.text(at)): \(RefusalWords.of(reason))
            """,
            action: """
                \(Self.otherID(user)); else see what is kept, mend the mapping or the settings, and replay: dialtone event \
                list --quarantined
                """)
    }

    private static func refused(_ slug: String, _ reason: String, count: Int64, at: Date, _ user: UserKey) -> Why {
        let times = (count == 1 ? "once" : "\(count) times, the last") + " at \(RFC3339.text(at))"
        return Why(
            .unknown,
            """
            is not known: no sign-up was taken in; it may be among what \(slug) was refused lately, \(times): \
            \(RefusalWords.of(reason))
            """,
            action: "\(Self.otherID(user)); else see what was refused: dialtone event list --refused")
    }

    private static func otherID(_ user: UserKey) -> String {
        "if it is another id, or the beginning of one: dialtone find \(ShellWord.quoted(user.user.rawValue))"
    }
}
