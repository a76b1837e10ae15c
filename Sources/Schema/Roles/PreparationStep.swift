// SPDX-License-Identifier: Apache-2.0
// The steps before the first migration, each with the question whether it is done.

import Postgres

/// One thing that must be there, and the statement that makes it.
struct PreparationStep: Sendable {
    /// What the migrating login runs, or an administrator.
    let statement: String
    /// Returns one boolean.
    private let question: SQL

    func isDone(on connection: PostgresConnection) async throws -> Bool {
        try await connection.query(self.question).first?.decode(Bool.self) ?? false
    }

    private static let names = ["dialtone_owner", "dialtone_service", "dialtone_tenant"]

    /// dialtone_service does not inherit what it may become: a statement sees one tenant's rows only after `set role`.
    static let roles: [PreparationStep] = Self.names.map { role in
        PreparationStep(
            statement: "create role \(role) nologin\(role == "dialtone_service" ? " noinherit" : "")",
            question: "select exists (select 1 from pg_roles where rolname = \(role))")
    }

    /// Who may take the roles: the migrating login all of them, and dialtone_service the tenants' role.
    ///
    /// `right`: `set`, or `member` before PostgreSQL 16, where a member may always take the role.
    static func memberships(of login: String, right: String) -> [PreparationStep] {
        [
            PreparationStep(
                statement: "grant \(Self.names.joined(separator: ", ")) to \(login)\(Self.option(right))",
                question: """
                    select count(*) = 3 and bool_and(pg_has_role(current_user, oid, \(right)))
                    from pg_roles where rolname = any(\(Self.names))
                    """),
            PreparationStep(
                statement: "grant dialtone_tenant to dialtone_service\(Self.option(right))",
                question: """
                    select exists (
                        select 1 from pg_roles member, pg_roles role
                        where member.rolname = 'dialtone_service' and role.rolname = 'dialtone_tenant'
                          and pg_has_role(member.oid, role.oid, \(right)))
                    """),
        ]
    }

    /// The schema may have been made by an administrator, or by an older restore under another owner.
    static let schema = [
        PreparationStep(
            statement: "create schema dialtone authorization dialtone_owner",
            question: "select to_regnamespace('dialtone') is not null"),
        PreparationStep(
            statement: "alter schema dialtone owner to dialtone_owner",
            question: """
                select not exists (
                    select 1 from pg_namespace namespace join pg_roles owner on owner.oid = namespace.nspowner
                    where namespace.nspname = 'dialtone' and owner.rolname <> 'dialtone_owner')
                """),
    ]

    static func serving(_ login: String, quoted: String, right: String) -> PreparationStep {
        PreparationStep(
            statement: "grant dialtone_service to \(quoted)\(Self.option(right))",
            question: """
                select exists (
                    select 1 from pg_roles member, pg_roles role
                    where member.rolname = \(login) and role.rolname = 'dialtone_service'
                      and pg_has_role(member.oid, role.oid, \(right)))
                """)
    }

    /// A grant without options leaves a membership as it is that was given without SET. PostgreSQL 15 has no options.
    private static func option(_ right: String) -> String { right == "set" ? " with set true" : "" }
}
