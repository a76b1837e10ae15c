// SPDX-License-Identifier: Apache-2.0
// Names in doubt are looked up: what has landed late is recorded by its job, or deleted.

import Model
import Postgres
import Telnyx

/// Looks up names in doubt, a few at a time.
///
/// A create that was given up may land minutes or hours later, when its job has created another credential or has ended.
/// Nobody would list its tag for that. Its name is known, and one call finds it.
///
/// What is found is only written down here. The user's job records what is wanted, and the surplus loop deletes what
/// committed rows prove to be surplus. So a follower that is wrong, or late, takes nothing from anybody.
struct DoubtFollower: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let names: CredentialName
    /// How long one list may take, its waits included.
    let deadline: Duration

    /// How many names one turn takes.
    static let limit = 20
    /// From this many names of one tag on, the tag is listed once instead of each name.
    static let sharedFrom = 4
    private static let pagesOfName = 4
    /// A tag holds 1000 at most, which are four pages, and may shift while it is read.
    private static let pagesOfTag = 8

    /// Looks up the names that are due. Returns how many there were.
    ///
    /// Cancelled here: names that were taken and not looked up are due again after two minutes.
    func followDue() async throws -> Int {
        let due = try await self.pool.query(TakenDoubt.take(limit: Self.limit)).map(TakenDoubt.read)
        for (tag, doubts) in Dictionary(grouping: due, by: \.tag) {
            if let tag, doubts.count >= Self.sharedFrom {
                try await self.follow(doubts, ListQuery(tag: tag))
            } else {
                for doubt in doubts { try await self.follow([doubt], ListQuery(name: self.name(of: doubt))) }
            }
        }
        return due.count
    }

    private func name(of doubt: TakenDoubt) -> String {
        self.names.name(for: doubt.user, generation: doubt.generation)
    }

    /// Makes one list and deals with what it shows of these names. A list proves presence only.
    private func follow(_ doubts: [TakenDoubt], _ query: ListQuery) async throws {
        let listed: [TelephonyCredential]
        do throws(TelnyxFailure) {
            listed = try await self.list(query, tag: doubts.first?.tag)
        } catch {
            _ = try await self.pool.query(TakenDoubt.unanswered(doubts))
            return
        }
        for doubt in doubts {
            let name = self.name(of: doubt)
            let found = listed.filter { $0.bears(name) }
            if !found.isEmpty { try await self.tell(doubt, name, found) }
        }
        let answers = try await self.pool.withConnection { try await $0.pipeline([TakenDoubt.answered(doubts)]) }
        for answer in answers.joined() { _ = try answer.get() }
    }

    /// Lists by name, or by tag. A list by name that has more than a few pages shows that the provider heeds no such
    /// filter. The list of the tag then takes its place.
    private func list(_ query: ListQuery, tag: String?) async throws(TelnyxFailure) -> [TelephonyCredential] {
        let limit = query.tag == nil ? Self.pagesOfName : Self.pagesOfTag
        do throws(TelnyxFailure) {
            return try await self.provider.listAll(query, until: .now + self.deadline, maximumPages: limit)
        } catch  where error.kind == .unreadable && query.tag == nil {
            guard let tag else { throw error }
            return try await self.provider.listAll(
                ListQuery(tag: tag), until: .now + self.deadline, maximumPages: Self.pagesOfTag)
        }
    }

    /// Writes down what was found under the name of a doubt.
    private func tell(_ doubt: TakenDoubt, _ fullName: String, _ found: [TelephonyCredential]) async throws {
        let ids = found.map(\.id)
        let unknown = try await self.pool.query(UnknownCredentials.among(ids)).map(UnknownCredentials.read)
        guard !unknown.isEmpty else { return }
        let name = OwnedName(user: doubt.user, generation: doubt.generation)
        let first = FoundCredential(id: unknown[0], owner: name, tag: doubt.tag)
        let verdict = try await self.pool.query(Verdict.of(name)).first.map(Verdict.read)
        let hasExpired = Set(found.filter(\.expired).map(\.id)).isSuperset(of: unknown)
        switch verdict {
        case .second?, .closed?: try await self.remember(unknown, of: doubt, fullName, as: verdict)
        case .evidence: try await self.inOneTransaction(SweepCorrections.makeLook(first))
        // An expired credential serves nobody, so nobody adopts it.
        case .orphan where hasExpired: try await self.remember(unknown, of: doubt, fullName, as: verdict)
        case .orphan: try await self.inOneTransaction(SweepCorrections.adopt(first))
        case .ahead: try await self.inOneTransaction(SweepCorrections.catchUp(first))
        // The visit of its tag shows it to an operator.
        case .overtaken, .stray, nil: break
        }
    }

    private func remember(
        _ ids: [ProviderID], of doubt: TakenDoubt, _ name: String, as verdict: Verdict?
    ) async throws {
        let surplus = Surplus(
            ids: ids, user: doubt.user, generation: doubt.generation, name: name, tag: doubt.tag,
            kind: verdict?.finding ?? .closed)
        try await self.inOneTransaction(surplus.statements)
    }

    private func inOneTransaction(_ statements: [SQL]) async throws {
        let answers = try await self.pool.withConnection { try await $0.pipeline([statements]) }
        for answer in answers.joined() { _ = try answer.get() }
    }
}
