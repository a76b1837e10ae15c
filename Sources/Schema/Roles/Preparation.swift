// SPDX-License-Identifier: Apache-2.0
// What must be there before the first migration: three roles, who may take them, and the schema.
//
// The login that migrates needs no superuser. With CREATEROLE and the right to create in the database it makes all of
// this itself. PostgreSQL 16 and newer give the maker of a role a membership that can only pass the role on; the maker
// then grants itself the right to take it. Where a login may not do a step, the error has the SQL of every step that
// is left, for an administrator.

import Postgres

/// Runs the steps that are not done yet.
struct Preparation: Sendable {
    private let servingLogin: String?

    init(_ options: MigrateOptions) { self.servingLogin = options.servingLogin }

    /// Throws `.rolesMissing` when the login has no right to a step, `.servesOnly`, and `.noSuchLogin`.
    func run(on connection: PostgresConnection) async throws {
        let steps = try await self.steps(on: connection)
        do {
            for step in steps { try await Self.perform(step, on: connection) }
        } catch let error as PostgresError where error.sqlState == "42501" {
            if let login = try await Self.servingLogin(on: connection) { throw SchemaError.servesOnly(login: login) }
            var left: [String] = []
            for step in steps {
                if try await !step.isDone(on: connection) { left.append("\(step.statement);") }
            }
            let row = try await connection.query("select current_database()::text").first
            throw SchemaError.rolesMissing(
                database: try row?.decode(String.self) ?? "", sql: left.joined(separator: "\n"),
                granters: try await Self.granters(on: connection))
        }
        try await connection.withTransaction {
            try await connection.script(
                """
                set local role dialtone_owner;
                grant usage on schema dialtone to dialtone_service, dialtone_tenant;
                """)
        }
    }

    /// Returns the other logins that may grant all of Dialtone's roles: those who have made them, or were given that
    /// right. Before PostgreSQL 16 the maker of a role has no such right of its own.
    private static func granters(on connection: PostgresConnection) async throws -> [String] {
        try await connection.query(
            """
            select login.rolname::text from pg_roles login
            where login.rolcanlogin and not login.rolsuper and login.rolname <> current_user
              and (select count(distinct role.oid) = 3 from pg_auth_members given
                   join pg_roles role on role.oid = given.roleid
                   where given.member = login.oid and given.admin_option
                     and role.rolname in ('dialtone_owner', 'dialtone_service', 'dialtone_tenant'))
            order by 1
            """
        ).map { try $0.decode(String.self) }
    }

    /// Returns the session's login when it may act as the service, and not as the owner; else nil.
    private static func servingLogin(on connection: PostgresConnection) async throws -> String? {
        let rows = try await connection.query(
            """
            select current_user::text
            where exists (select 1 from pg_roles service where service.rolname = 'dialtone_service'
                          and pg_has_role(current_user, service.oid, 'member'))
              and not exists (select 1 from pg_roles owner where owner.rolname = 'dialtone_owner'
                              and pg_has_role(current_user, owner.oid, 'member'))
            """)
        return try rows.first?.decode(String.self)
    }

    static func makeTableOfVersions(on connection: PostgresConnection) async throws {
        try await connection.withTransaction {
            try await connection.script(
                """
                set local role dialtone_owner;
                create table if not exists dialtone.schema_migrations (
                    version integer primary key, name text not null, checksum bytea not null,
                    applied_at timestamptz not null default now());
                """)
        }
    }

    private func steps(on connection: PostgresConnection) async throws -> [PreparationStep] {
        let row = try await connection.query(
            """
            select quote_ident(current_user),
                   case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end
            """
        ).first
        guard let row else { return [] }
        let (login, right) = try row.decode(String.self, String.self)
        var steps = PreparationStep.roles + PreparationStep.memberships(of: login, right: right)
        steps += PreparationStep.schema
        if let name = self.servingLogin {
            let found = try await connection.query(
                "select quote_ident(rolname) from pg_roles where rolname = \(name) and rolcanlogin")
            guard let quoted = try found.first?.decode(String.self) else { throw SchemaError.noSuchLogin(name) }
            steps.append(.serving(name, quoted: quoted, right: right))
        }
        return steps
    }

    /// Runs the step unless it is done.
    ///
    /// Roles belong to the whole server, so the migrator of another database may do the same step at the same moment.
    /// One of the two then fails ("exists already", "tuple concurrently updated"), looks again, and finds it done.
    private static func perform(_ step: PreparationStep, on connection: PostgresConnection) async throws {
        var failure = PostgresError(.server, "\(step.statement): no right to it", sqlState: "42501")
        for _ in 0..<3 {
            if try await step.isDone(on: connection) { return }
            do throws(PostgresError) {
                try await connection.script(step.statement)
            } catch {
                guard error.code == .server, !["42501", "55P03"].contains(error.sqlState) else { throw error }
                failure = error
            }
        }
        // PostgreSQL only warns of a grant that grants nothing.
        guard try await step.isDone(on: connection) else { throw failure }
    }
}
