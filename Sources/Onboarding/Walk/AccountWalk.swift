// SPDX-License-Identifier: Apache-2.0
// The walk over all pages of the account: slow, and for what no tag of the ledger would show.

import Foundation
import Model
import Postgres
import Telnyx

/// Walks the account a page at a time, on any node.
///
/// Visits look at the tags that the ledger knows. A credential of ours under another tag is seen by nobody: a tag that
/// was changed by hand, a shard whose opening was lost, a tenant that was removed. The walk sees it, some days later at
/// most. A page proves presence only.
struct AccountWalk: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let names: CredentialName

    /// Looks at the next page if it is due. Returns whether it was.
    ///
    /// Cancelled here: the page is due again after two minutes.
    func step() async throws -> Bool {
        guard let row = try await self.pool.query(WalkPlace.take).first else { return false }
        let place = try WalkPlace.read(row)
        let page: CredentialPage
        do throws(TelnyxFailure) {
            page = try await self.provider.list(ListQuery(), page: Int(place.page))
        } catch {
            _ = try await self.pool.query(WalkPlace.failed)
            return true
        }
        try await self.explain(page.credentials)
        _ = try await self.pool.query(place.next(after: page))
        return true
    }

    /// Writes down the credentials that bear our name and that the ledger does not have.
    private func explain(_ credentials: [TelephonyCredential]) async throws {
        let own = credentials.filter { self.names.isOurs($0.name ?? "") }
        guard !own.isEmpty else { return }
        let unknown = Set(
            try await self.pool.query(UnknownCredentials.among(own.map(\.id))).map(UnknownCredentials.read))
        let strange = own.filter { unknown.contains($0.id) }
        guard !strange.isEmpty else { return }
        // The page came first, so what was on its way then has a row now.
        let underWay = try await self.namesUnderWay()
        let unexplained = strange.filter { credential in !underWay.contains { credential.bears($0) } }
        guard !unexplained.isEmpty else { return }
        // The provider does not show the tag.
        _ = try await self.pool.query(
            Stray.remember(unexplained.map { Stray(id: $0.id, name: $0.name ?? "", tag: nil) }))
    }

    /// Returns the names that a job or a doubt may still bring into the ledger.
    private func namesUnderWay() async throws -> [String] {
        try await self.pool.query(WalkStatements.underWay).map { row in
            var columns = row.columns
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            return self.names.name(for: user, generation: try columns.next())
        }
    }
}
