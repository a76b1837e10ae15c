// SPDX-License-Identifier: Apache-2.0
// When a credential got its first and its last login token: written behind the token, and never waited for.

import Logging
import Model
import Postgres
import Synchronization

/// What waits while one write is under way goes into the next, so that a node writes one statement at a time. A time
/// that cannot be written is forgotten: it is a picture, and no part of the ledger's promise.
final class TokenTimes: Sendable {
    private struct State {
        /// Credentials that got a token since the last write began.
        var waiting: Set<ProviderID> = []
        /// Nil while nothing waits.
        var writing: Task<Void, Never>?
    }

    /// Credentials that wait at most, while the database is slow.
    private static let maximum = 10_000

    private let pool: PostgresPool
    private let logger: Logger?
    private let state = Mutex(State())
    private let isFailing = Atomic(false)

    init(pool: PostgresPool, logger: Logger?) {
        self.pool = pool
        self.logger = logger
    }

    /// The provider has just given a token for this credential. Returns at once.
    func note(_ id: ProviderID) {
        self.state.withLock { state in
            guard state.waiting.count < Self.maximum else { return }
            state.waiting.insert(id)
            guard state.writing == nil else { return }
            // Unstructured, because it belongs to no request: the token is handed out meanwhile.
            state.writing = Task { await self.write() }
        }
    }

    /// Returns when nothing waits any more.
    func settle() async {
        while let writing = self.state.withLock(\.writing) { await writing.value }
    }

    /// Writes until nothing waits.
    private func write() async {
        while let ids = self.take() {
            do {
                _ = try await self.pool.query(Self.statement(ids.sorted()))
                self.isFailing.store(false, ordering: .relaxed)
            } catch {
                guard !self.isFailing.exchange(true, ordering: .relaxed) else { continue }
                self.logger?.warning("times of login tokens cannot be written", metadata: ["error": "\(error)"])
            }
        }
    }

    private func take() -> Set<ProviderID>? {
        self.state.withLock { state in
            defer { state.waiting = [] }
            if state.waiting.isEmpty { state.writing = nil }
            return state.waiting.isEmpty ? nil : state.waiting
        }
    }

    /// Locks the credentials and skips those that are locked, so that it waits for nobody. No index names the columns,
    /// so the update is HOT. Index credentials_provider_id_key; a locked row does not move, so it is found again by its
    /// place (`ctid`).
    static func statement(_ ids: [ProviderID]) -> SQL {
        """
        update dialtone.credentials
        set first_token_at = coalesce(first_token_at, statement_timestamp()), last_token_at = statement_timestamp()
        where ctid = any(array(
            select held.place from unnest(\(ids)) as minted (id) cross join lateral (
                select credentials.ctid as place from dialtone.credentials
                where credentials.provider_id = minted.id for no key update skip locked) held))
        """
    }
}
