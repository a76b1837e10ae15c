// SPDX-License-Identifier: Apache-2.0
// A tenant's users as the tenant may see them: never a password, and never another tenant's.

import Foundation
package import Model
import Postgres
package import Vault

/// Reads users of one tenant at a time.
package struct Users: Sendable {
    let reads: TenantReads
    private let vault: Vault

    package init(reads: TenantReads, vault: Vault) {
        self.reads = reads
        self.vault = vault
    }

    /// Returns a page of a list, each user with the reason why it stands where it stands. Pages go by key, so each costs
    /// the same wherever it begins.
    package func page(
        of list: UserList, after place: UserPlace? = nil, limit: Int, withReasons: Bool = true, as reader: Reader
    ) async throws -> UserPage {
        let page = try await self.sealedPage(of: list, after: place, limit: limit, as: reader)
        var users = try await self.open(page)
        if withReasons { try await self.giveReasons(&users, of: list.tenant, as: reader) }
        return UserPage(users: users, next: page.next)
    }

    /// Returns a page as the database gives it, for `open`.
    package func sealedPage(
        of list: UserList, after place: UserPlace? = nil, limit: Int, as reader: Reader
    ) async throws -> SealedPage {
        let keys = try await UserKeys(of: list.filter, for: list.tenant, self.vault)
        // One row more than the page holds shows whether there is a next page.
        let rows = try await self.reads.rows(
            as: reader, [UserSelect.page(list, keys, after: place, limit: limit + 1)])[0]
        var users: [SealedUser] = []
        var next: UserPlace?
        for row in rows {
            var columns = row.columns
            next = try Self.end(&columns, of: list, limit: limit)
            guard let tenant: TenantID = try columns.next() else { break }
            if users.count == limit {
                next = users.last?.place
                break
            }
            users.append(try SealedUser(tenant, &columns))
        }
        return SealedPage(users: users, next: next)
    }

    /// Opens what is sealed of a page's users.
    package func open(_ page: SealedPage) async throws -> [UserEntry] {
        var users: [UserEntry] = []
        users.reserveCapacity(page.users.count)
        var opener = self.vault.opener
        for user in page.users { users.append(try await Self.entry(user, &opener)) }
        return users
    }

    /// Counts the users that pass, up to `UserCount.most`.
    package func count(_ list: UserList, as reader: Reader) async throws -> UserCount {
        let keys = try await UserKeys(of: list.filter, for: list.tenant, self.vault)
        guard let row = try await self.reads.rows(as: reader, [UserSelect.count(list, keys)])[0].first else {
            return UserCount(count: 0, exact: true)
        }
        let (number, isWhole) = try row.decode(Int64.self, Bool.self)
        return UserCount(
            count: min(Int(number), UserCount.most), exact: isWhole && Int(number) <= UserCount.most)
    }

    /// Returns one user with the reason; nil when there is none.
    package func show(_ user: UserKey, as reader: Reader) async throws -> UserEntry? {
        guard let row = try await self.reads.rows(as: reader, [UserSelect.one(user)])[0].first else { return nil }
        var columns = row.columns
        var opener = self.vault.opener
        var users = [try await Self.entry(try SealedUser(try columns.next(), &columns), &opener)]
        try await self.giveReasons(&users, of: user.tenant, as: reader)
        return users.first
    }

    private func giveReasons(_ users: inout [UserEntry], of tenant: TenantID, as reader: Reader) async throws {
        let names = users.compactMap { UserID(rawValue: $0.userID) }
        guard !names.isEmpty else { return }
        let reasons = try await Reasons(reads: self.reads).why(names, of: tenant, as: reader)
        for place in users.indices { users[place].why = reasons[users[place].userID] }
    }

    // MARK: Rows

    /// Reads the page's end, which each row holds: where the next page begins when no user is left over.
    private static func end(_ columns: inout PostgresColumns, of list: UserList, limit: Int) throws -> UserPlace? {
        let number: Int64 = try columns.next()
        let user: UserID? = try columns.next()
        let received: Int64? = try columns.next()
        let window = list.filter.isEmpty ? limit + 1 : UserSelect.window
        guard number >= window, let user, let received else { return nil }
        return UserPlace(user: user, received: received)
    }

    private static func entry(_ user: SealedUser, _ opener: inout Opener) async throws -> UserEntry {
        var username: String?
        if let id = user.credential, let sealed = user.username {
            username = try await self.open(
                sealed, .credential("sealed_username", of: user.user, generation: user.generation, id), &opener)
        }
        var name: PersonName?
        if let sealed = user.name, let text = try await self.open(sealed, .personName(of: user.user), &opener) {
            name = PersonName(sealedText: text)
        }
        return UserEntry(
            tenant: user.user.tenant.rawValue, userID: user.user.user.rawValue, name: name?.name, email: name?.email,
            status: user.status.rawValue, why: nil, credentialID: user.credential?.rawValue, sipUsername: username,
            tag: user.tag, generation: user.generation, receivedAt: user.receivedAt, readyAt: user.readyAt)
    }

    /// One value that cannot be opened must not hide all the others. A key that cannot be asked for just now must not
    /// look like such a value.
    private static func open(
        _ sealed: Bytes, _ binding: SealedBinding, _ opener: inout Opener
    ) async throws -> String? {
        do {
            return try await opener.open(sealed.value, binding).reveal()
        } catch is CannotOpen {
            return nil
        } catch is WrongKeyEncryptionKey {
            return nil
        }
    }
}
