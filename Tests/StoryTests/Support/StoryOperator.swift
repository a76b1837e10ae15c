// SPDX-License-Identifier: Apache-2.0
// The operator of a test: actions on users, the sweep, and the changes that it meets in the ledger.

import Composition
import Foundation
import Model
import Postgres
import TestSupport

extension Story {
    var administration: Administration { Administration(self.settings) }

    // MARK: Actions on users

    /// `dialtone user rotate`; returns where the user stands then.
    @discardableResult
    func rotate(_ user: String, overlap: Duration) async throws -> UserStatus? {
        UserStatus(rawValue: try await self.administration.rotate(try Self.user(user), overlap: overlap).status)
    }

    @discardableResult
    func revoke(_ user: String) async throws -> UserStatus? {
        UserStatus(rawValue: try await self.administration.revoke(try Self.user(user)).status)
    }

    @discardableResult
    func reopen(_ user: String) async throws -> UserStatus? {
        UserStatus(rawValue: try await self.administration.reopen(try Self.user(user)).status)
    }

    @discardableResult
    func retry(_ user: String) async throws -> UserStatus? {
        UserStatus(rawValue: try await self.administration.retry(try Self.user(user)).status)
    }

    // MARK: The sweep

    /// `dialtone sweep`. Without `toTheEnd` the second look and the deletes are left to others.
    func sweep(
        toTheEnd: Bool = true, at provider: String? = nil, _ change: (inout SweepOptions) -> Void = { _ in }
    ) async throws -> SweepReport {
        var options = SweepOptions()
        options.isThorough = toTheEnd
        change(&options)
        var settings = self.settings
        if let provider { settings.telnyxBaseURL = provider + "/v2" }
        return try await Administration(settings).sweep(options)
    }

    // MARK: Changes in between

    /// Ends every other session on the database, as a broken network would.
    func cutConnections() async throws {
        _ = try await self.database.admin.query(
            """
            select pg_terminate_backend(pid)::text from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """)
    }

    /// Makes all credentials an hour old, because a list may not show young ones yet.
    func ageCredentials() async throws {
        try await self.database.admin.script(
            "update dialtone.credentials set created_at = now() - interval '1 hour'")
    }

    /// As after a change of the server: every create looks first until its tenant's tags have been seen. The workers'
    /// visits are due now.
    func distrustLedger() async throws {
        try await self.database.insert(Ledger.unseen)
        try await self.database.admin.script("update dialtone.tenant_tags set due_at = now()")
    }

    /// Holds the workers' own visits back, so that a distrust that they would end lasts; or lets them go again.
    ///
    /// A worker may know of the pause a moment later, so tenants stay unseen besides, whatever a visit says.
    func holdVisits(_ isHeld: Bool) async throws {
        try await self.database.admin.script(isHeld ? Self.hold : Self.letGo)
    }

    private static let hold = """
        insert into dialtone.provider_limits (scope, paused_until) values ('kind:sweep', now() + interval '1 hour')
        on conflict (scope) do update set paused_until = excluded.paused_until;
        update dialtone.tenant_tags set due_at = 'infinity';
        create function dialtone.stay_unseen() returns trigger language plpgsql as
        $$ begin new.seen_era := old.seen_era; return new; end $$;
        create trigger stay_unseen before update on dialtone.tenants
            for each row execute function dialtone.stay_unseen()
        """

    private static let letGo = """
        drop trigger stay_unseen on dialtone.tenants; drop function dialtone.stay_unseen();
        update dialtone.provider_limits set paused_until = null where scope = 'kind:sweep';
        update dialtone.tenant_tags set due_at = now()
        """

    /// Whether creates of some tenant look first.
    func isLedgerDistrusted() async throws -> Bool {
        try await !self.rows("select tenant_id from dialtone.tenants where \(Self.isUnseen)").isEmpty
    }

    /// Waits until creates need not look first any more.
    func waitUntilLedgerIsTrusted() async throws {
        try await self.until("select 1 where not exists (select 1 from dialtone.tenants where \(Self.isUnseen))")
    }

    private static let isUnseen: SQL = "seen_era is distinct from (select era from dialtone.incarnation)"
}
