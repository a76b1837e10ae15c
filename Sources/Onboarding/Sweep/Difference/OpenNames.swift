// SPDX-License-Identifier: Apache-2.0
// Credentials whose owners are not known yet. A name cannot be read backwards, so names of users are computed.

import Model
import Postgres
import Telnyx

/// Names that wait for an owner. Forty characters tell a name, because the provider may cut it.
struct OpenNames {
    private var open: [String: [TelephonyCredential]]
    private(set) var owners: [ProviderID: OwnedName] = [:]

    init(_ credentials: [TelephonyCredential]) {
        self.open = Dictionary(grouping: credentials) { Self.head($0.name ?? "") }
    }

    static func head(_ name: String) -> String { String(name.prefix(40)) }

    var isEmpty: Bool { self.open.isEmpty }

    func contains(_ id: ProviderID) -> Bool { self.open.values.contains { $0.contains { $0.id == id } } }

    /// Gives the owner all credentials that bear its name.
    mutating func match(_ owner: OwnedName, _ names: CredentialName) {
        let name = names.name(for: owner.user, generation: owner.generation)
        for credential in self.open.removeValue(forKey: Self.head(name)) ?? [] where credential.bears(name) {
            self.owners[credential.id] = owner
        }
    }

    /// Finds credentials of any state that were made under these names. It reads the table whole, a quarter of a second
    /// for a million rows, and runs only for names that were not searched for before.
    static func recorded(_ credentials: [TelephonyCredential]) -> SQL {
        """
        select tenant_id, user_id, generation from dialtone.credentials
        where left(name, 40) = any(\(credentials.map { Self.head($0.name ?? "") }))
        """
    }
}
