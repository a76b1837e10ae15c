// SPDX-License-Identifier: Apache-2.0
// The login that serves: it must be able to act as the service and as a tenant's reader, and should be no more.

package import Postgres

/// The session's login, whatever role the session has taken.
package struct ServingLogin: Sendable {
    package let name: String
    /// What it may do beyond its work, in words. A mistake in the program could then do the same.
    package let excess: [String]

    /// Reads the login. Throws `.behind` when the roles are not there yet, `.loginLacksRoles`, and
    /// `.loginDoesNotInherit`.
    ///
    /// `isPooled`: behind a pooler the session cannot take dialtone_service at its start, so it must have its rights.
    package static func verify(
        on connection: PostgresConnection, isPooled: Bool = false
    ) async throws -> ServingLogin {
        let rows = try await connection.query(
            """
            select rolname::text, pg_has_role(session_user, oid,
                       case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end),
                   rolname = 'dialtone_tenant' or pg_has_role(current_user, oid, 'usage')
            from pg_roles where rolname in ('dialtone_service', 'dialtone_tenant') order by rolname
            """
        ).map { try $0.decode(String.self, Bool.self, Bool.self) }
        guard rows.count == 2 else { throw SchemaError.behind(missing: Migration.all.count) }
        let login = try await Self.read(on: connection)
        let lacking = rows.filter { !$0.1 }.map(\.0)
        guard lacking.isEmpty else { throw SchemaError.loginLacksRoles(login: login.name, roles: lacking) }
        if isPooled, !rows.allSatisfy(\.2) { throw SchemaError.loginDoesNotInherit(login: login.name) }
        return login
    }

    private static func read(on connection: PostgresConnection) async throws -> ServingLogin {
        let row = try await connection.query(
            """
            select rolname::text, rolsuper, rolbypassrls, rolcreaterole, rolreplication,
                   exists (select 1 from pg_namespace
                           where nspname = 'dialtone' and pg_has_role(session_user, nspowner, 'member')),
                   array(select given.rolname::text from pg_roles given
                         where given.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                                                 'pg_write_server_files', 'pg_execute_server_program')
                           and pg_has_role(session_user, given.oid, 'member') order by 1)
            from pg_roles where rolname = session_user
            """
        ).first
        guard let row else { return ServingLogin(name: "unknown", excess: []) }
        let (name, isSuperuser, bypasses, makesRoles, replicates, ownsSchema, given) = try row.decode(
            String.self, Bool.self, Bool.self, Bool.self, Bool.self, Bool.self, [String].self)
        // A superuser may do all the rest too.
        if isSuperuser { return ServingLogin(name: name, excess: ["is a superuser"]) }
        let findings = [
            (ownsSchema, "may act as the owner of the schema"), (bypasses, "bypasses row-level security (BYPASSRLS)"),
            (makesRoles, "may make roles (CREATEROLE)"), (replicates, "may copy the whole server (REPLICATION)"),
        ]
        return ServingLogin(
            name: name, excess: findings.filter(\.0).map(\.1) + given.map { "is a member of \($0)" })
    }
}
