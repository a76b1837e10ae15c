// SPDX-License-Identifier: Apache-2.0
// Takes an organisation out of the mapping table of a source, also beside statements that have read it there.

package import Model
import Postgres

/// A statement of intake reads the table as it was when the statement began, and commits later. So an organisation leaves
/// in three steps: it counts as not mapped, then all transactions from before end, and then its members are looked at.
/// What is said of it meanwhile comes into quarantine, and can be had by replay. Each step may be repeated, so who was
/// interrupted runs the removal again.
extension SourceRegistry {
    /// Takes an organisation out of the table. Refuses while people are members of it, by what the sender has told. Waits
    /// for `patience` at most until transactions from before have ended.
    ///
    /// Cancelled here: the organisation is still leaving, and the next removal goes on.
    package func unmap(
        _ organization: String, slug: String, tenant: TenantID?, patience: Duration = .seconds(30)
    ) async throws {
        let source = try await self.tracked(slug, tenant)
        let change = try await self.beginLeaving(organization, source)
        guard try await self.olderTransactionsEnd(within: patience) else {
            throw SourceError.stillLeaving(organization)
        }
        try await self.endLeaving(organization, source, since: change)
    }

    /// Returns the transaction since which the organisation is leaving: this one, or that of a removal before.
    private func beginLeaving(_ organization: String, _ source: SourceID) async throws -> String {
        try await self.pool.withTransaction { connection in
            // The row's lock comes first, so that one removal follows the other. Primary key.
            let (isLeaving, change) = try await Self.lock(organization, source, on: connection)
            guard !isLeaving else { return change }
            guard try await Self.hasNoMember(organization, source, on: connection) else {
                throw SourceError.hasMembers(organization)
            }
            let changed = try await connection.query(
                """
                update dialtone.source_tenants set is_leaving = true, changed_xid = pg_current_xact_id()
                where source_id = \(source) and external_tenant = \(organization) returning changed_xid::text
                """
            ).first?.decode(String.self)
            guard let changed else { throw SourceError.unknownOrganization(organization) }
            return changed
        }
    }

    /// Every statement that has read the table before belongs to a transaction that had its number by then: its people
    /// were locked first. A number that is drawn now is higher, also than that of a transaction which began beside the
    /// change. So all of them have ended when no lower number is under way. Returns false when one goes on.
    private func olderTransactionsEnd(within patience: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        let drawn = try await self.pool.query("select pg_current_xact_id()::text").first?.decode(String.self)
        while ContinuousClock.now < deadline {
            let ended = try await self.pool.query(
                "select 1 where pg_snapshot_xmin(pg_current_snapshot()) >= \(drawn)::text::xid8")
            if !ended.isEmpty { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// The row goes, or is in force again when somebody has become a member by a statement from before.
    ///
    /// `change` is the transaction since which the wait knows that the organisation is leaving. Refuses when the row has
    /// another one: the organisation was mapped again meanwhile, and a statement that read it so may go on. That the
    /// organisation is leaving once more is then another removal's affair, which waits for itself.
    private func endLeaving(_ organization: String, _ source: SourceID, since change: String) async throws {
        let hasLeft = try await self.pool.withTransaction { connection in
            // A removal beside this one, or somebody who maps, has the row first or waits. Primary key.
            let (isLeaving, changed) = try await Self.lock(organization, source, on: connection)
            guard isLeaving, changed == change else { throw SourceError.mappedAgain(organization) }
            guard try await Self.hasNoMember(organization, source, on: connection) else {
                _ = try await connection.query(
                    """
                    update dialtone.source_tenants set is_leaving = false, changed_xid = pg_current_xact_id()
                    where source_id = \(source) and external_tenant = \(organization)
                    """)
                return false
            }
            _ = try await connection.query(
                """
                delete from dialtone.source_tenants
                where source_id = \(source) and external_tenant = \(organization)
                """)
            return true
        }
        guard hasLeft else { throw SourceError.hasMembers(organization) }
    }

    /// Locks the organisation's row. Returns whether it is leaving, and the transaction that last changed it.
    private static func lock(
        _ organization: String, _ source: SourceID, on connection: PostgresConnection
    ) async throws -> (isLeaving: Bool, change: String) {
        let row = try await connection.query(
            """
            select is_leaving, changed_xid::text from dialtone.source_tenants
            where source_id = \(source) and external_tenant = \(organization) for update
            """
        ).first?.decode(Bool.self, String.self)
        guard let row else { throw SourceError.unknownOrganization(organization) }
        return (row.0, row.1)
    }

    /// A member whom a deletion or a newer list has voided does not count. Indexes memberships_pkey, by its first
    /// column, and people_pkey.
    private static func hasNoMember(
        _ organization: String, _ source: SourceID, on connection: PostgresConnection
    ) async throws -> Bool {
        try await connection.query(
            """
            select 1 from (\(MappedOrganization.members(of: source))) member
            where member.external_tenant = \(organization) and member.tenant_id is not null limit 1
            """
        ).isEmpty
    }
}
