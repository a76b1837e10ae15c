// SPDX-License-Identifier: Apache-2.0
// Why a migration or a start is refused, each reason with what an operator does about it.

package enum SchemaError: Error, CustomStringConvertible {
    /// The database lacks migrations that this program needs.
    case behind(missing: Int)
    /// The database has migrations that this program does not know.
    case ahead(version: Int32)
    /// A file has changed since it was applied.
    case changed(version: Int32, name: String)
    /// The login may not make or grant roles. An administrator must run `sql` in `database`. `granters` are the logins
    /// that may grant Dialtone's roles; none where no such role is there, or where only a superuser may.
    case rolesMissing(database: String, sql: String, granters: [String])
    /// The server may lose commits that it has acknowledged.
    case notDurable(setting: String)
    /// The server is a standby, or its sessions are read-only.
    case takesNoWrites(isStandby: Bool)
    /// The server is older than PostgreSQL 15.
    case tooOld(version: String)
    /// The database cannot hold every text.
    case notUTF8(database: String, encoding: String)
    /// Transactions begin with another isolation than read committed.
    case isolation(String)
    /// The serving login may not take a role that the service works in.
    case loginLacksRoles(login: String, roles: [String])
    /// Behind a pooler, the serving login does not have the rights of dialtone_service without taking the role.
    case loginDoesNotInherit(login: String)
    /// A session could not take the service's role.
    case mayNotServe
    /// The login that serves was given to `migrate`. It must not become an owner.
    case servesOnly(login: String)
    /// `migrate --serve-as` names a login that does not exist.
    case noSuchLogin(String)
    /// `setting` leads to a pooler, and the program was not told.
    case pooler(setting: String, PoolerEvidence)
    /// A migration would go through a pooler.
    case migrationThroughPooler(PoolerEvidence?)
    /// A lock did not become free in time. `holders` says who has it.
    case waitedTooLong(seconds: Int, holders: String)

    package var description: String {
        switch self {
        case .behind(let missing):
            "the database lacks \(missing) migration\(missing == 1 ? "" : "s"); run with the login that migrates: "
                + "dialtone migrate"
        case .ahead(let version):
            "the database has migration \(version), which this version of dialtone does not know; use a newer dialtone"
        case .changed(let version, let name):
            "migration \(version) (\(name)) was changed after it was applied; put the original file back"
        case .notDurable(let setting): Self.mayLose(setting)
        case .takesNoWrites(let isStandby):
            "the server takes no writes: \(isStandby ? "it is a standby" : "its sessions are read-only")"
        case .tooOld(let version): "the server is PostgreSQL \(version); dialtone needs PostgreSQL 15 or newer"
        case .notUTF8(let database, let encoding):
            "the database \(database) has the encoding \(encoding), and dialtone needs UTF8; make it anew: "
                + "create database \(database) encoding 'UTF8' template template0"
        case .isolation(let isolation):
            "transactions begin as \(isolation); run: alter role LOGIN set default_transaction_isolation = "
                + "'read committed', and let the pooler connect anew"
        case .pooler(let setting, let evidence): Self.text(of: setting, evidence)
        case .migrationThroughPooler(let evidence):
            "migrate needs the server itself, and the database's URL leads to a pooler"
                + (evidence.map { " (\($0))" } ?? "") + "; set DATABASE_DIRECT_URL to the server"
        case .waitedTooLong(let seconds, let holders):
            "gave up after waiting \(seconds) s for a lock of \(holders); end that session, or give --wait more time"
        case .rolesMissing(let database, let sql, let granters):
            "this login may not do that itself; have an administrator run in the database \(database), then migrate "
                + "again:\n\(sql)"
                + (granters.isEmpty
                    ? "" : "\nthe grants of roles can also be run by \(granters.joined(separator: " or "))")
        case .loginLacksRoles(let login, let roles):
            Self.mayNotAct("the login \(login)", as: roles.joined(separator: " and "), remedyFor: login)
        case .loginDoesNotInherit(let login): Self.mustInherit(login)
        case .mayNotServe: Self.mayNotAct("the login", as: "dialtone_service", remedyFor: "LOGIN")
        case .servesOnly(let login):
            "the login \(login) serves and may not migrate; run dialtone migrate with the login that migrates"
        case .noSuchLogin(let login): "there is no login \(login); make it first: create role \(login) login"
        }
    }

    private static func mayLose(_ setting: String) -> String {
        let loss = "the server has \(setting)=off and could lose what it acknowledged; turn it on"
        guard setting != "synchronous_commit" else {
            return "\(loss), or run: alter role LOGIN set synchronous_commit = on"
        }
        return "\(loss), or set DIALTONE_DURABILITY=storage where the storage is durable without it"
    }

    private static func mayNotAct(_ who: String, as roles: String, remedyFor login: String) -> String {
        "\(who) may not act as \(roles); run with the login that migrates: dialtone migrate --serve-as \(login)"
    }

    private static func mustInherit(_ login: String) -> String {
        "the login \(login) does not inherit the rights of dialtone_service, and behind a pooler it must; run: "
            + "alter role \(login) inherit, and on PostgreSQL 16 or newer: grant dialtone_service to \(login) with "
            + "inherit true"
    }

    private static func text(of setting: String, _ evidence: PoolerEvidence) -> String {
        if evidence == .transactionsRefused, setting == "DATABASE_URL" {
            return "DATABASE_URL leads to a pooler in statement mode (\(evidence)); set its pool_mode to transaction"
        }
        return setting == "DATABASE_URL"
            ? "DATABASE_URL leads to a pooler (\(evidence)); set DIALTONE_POOLER=transaction, and DATABASE_DIRECT_URL "
                + "to the server itself"
            : "\(setting) leads to a pooler (\(evidence)), and must lead to the server itself; DIALTONE_POOLER is "
                + "about DATABASE_URL only"
    }
}
