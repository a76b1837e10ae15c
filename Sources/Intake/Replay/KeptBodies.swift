// SPDX-License-Identifier: Apache-2.0
// The bodies and sources that a run of replays needs: events of one request stand one after the other and share both.

import Foundation
import Model
import Postgres
import Vault

struct KeptBodies {
    private let pool: PostgresPool
    private let vault: Vault
    private var sources: [SourceID: ReplaySource?] = [:]
    private var last: (body: EventID, kept: KeptRequest)?

    init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// Cancelled here: nothing was begun.
    mutating func source(of event: OpenEvent) async throws -> ReplaySource? {
        if let known = self.sources[event.source] { return known }
        let source = try await ReplaySource.read(event.source, in: self.pool)
        self.sources[event.source] = source
        return source
    }

    /// Returns the request as it is read again; nil when its body is not there.
    ///
    /// Cancelled here: nothing was begun.
    mutating func request(
        of event: OpenEvent, from source: ReplaySource, now: Date
    ) async throws -> ProvenRequest? {
        guard let body = event.body else { return nil }
        let kept: KeptRequest
        if let last = self.last, last.body == body {
            kept = last.kept
        } else {
            guard let row = try await self.pool.query(QuarantinedBody.find(body)).first else { return nil }
            let place = KeptRequest.place(body, of: event.source, event.scope)
            var columns = row.columns
            let sealed: Bytes = try columns.next()
            kept = try KeptRequest(try await self.vault.open(sealed.value, place))
            self.last = (body, kept)
        }
        return kept.request(receivedAt: event.receivedAt, now: now)
    }
}
