// SPDX-License-Identifier: Apache-2.0
// The count user by user: the senders' last word against the ledger's credential and the provider's.

import Model
import Postgres

extension Verdict {
    /// Compares every user, and looks for credentials that only the provider has. Tells the story of each user who is
    /// not as wanted.
    mutating func compareUsers(
        _ senders: Senders, _ held: [Held.One], _ deployment: Deployment, _ pool: PostgresPool
    ) async throws {
        let ledger = try await LedgerCredential.read(deployment.settings, pool)
        let provider = Dictionary(grouping: held, by: \.id)
        var blamed: [String] = []
        for (user, word) in senders.wanted.sorted(by: { $0.key < $1.key }) {
            let agrees = self.compare(user, word.wanted, ledger[user] ?? [], provider)
            if !agrees { blamed.append(user) }
        }
        let recorded = Set(ledger.values.joined().map(\.id))
        for one in held where !recorded.contains(one.id) {
            self.duplicates += 1
            self.findings.append("\(one.name) is at the provider and not in the ledger")
        }
        try await StoredEvents.tell(blamed, pool)
    }

    /// Compares one user, who has these credentials in the ledger. Returns whether all is as wanted.
    private mutating func compare(
        _ user: String, _ wanted: Wanted, _ own: [LedgerCredential], _ provider: [String: [Held.One]]
    ) -> Bool {
        guard wanted == .live else {
            if own.isEmpty { return true }
            self.lose("\(user) is gone and has \(own.count)")
            return false
        }
        guard own.count == 1, let there = provider[own[0].id]?.first else {
            self.lose("\(user) is wanted and has \(own.count) in the ledger")
            return false
        }
        if there.sip_password == own[0].password { return true }
        self.wrongPasswords += 1
        self.findings.append("\(user): the password differs")
        return false
    }

    private mutating func lose(_ finding: String) {
        self.lost += 1
        self.findings.append(finding)
    }
}
