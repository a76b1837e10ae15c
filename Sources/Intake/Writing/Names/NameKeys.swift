// SPDX-License-Identifier: Apache-2.0
// The keys that names are sealed with, as far as they are there in a quarter of a second.

import Model
import Synchronization
import Vault

/// A sign-up never waits long for a name: a tenant whose keys do not come in time gets none, and is asked for again
/// some seconds later.
final class NameKeys: Sendable {
    private let vault: Vault
    private let patience: Duration
    private let rest: Duration
    /// When a tenant is asked for again.
    private let missed = Mutex<[TenantID: ContinuousClock.Instant]>([:])

    init(vault: Vault, patience: Duration = .milliseconds(250), rest: Duration = .seconds(5)) {
        self.vault = vault
        self.patience = patience
        self.rest = rest
    }

    /// Returns the sealers that are there in time.
    ///
    /// Cancelled here: nothing changes, because a batch belongs to the writer and not to its shutdown.
    func sealers(of tenants: Set<TenantID>) async -> [TenantID: Sealer] {
        let now = ContinuousClock.now
        let due = self.missed.withLock { missed in
            missed = missed.filter { $0.value > now }
            return tenants.filter { missed[$0] == nil }
        }
        let (answers, told) = AsyncStream.makeStream(of: (TenantID, Sealer?).self)
        for tenant in due {
            // Unstructured, because a key that comes too late is there for whoever asks next.
            Task { [vault = self.vault] in told.yield((tenant, try? await vault.sealer(for: tenant.rawValue))) }
        }
        let clock = Task { [patience = self.patience] in
            try? await Task.sleep(for: patience)
            told.finish()
        }
        defer { clock.cancel() }
        var (sealers, waiting): ([TenantID: Sealer], Set<TenantID>) = ([:], due)
        if !waiting.isEmpty {
            for await (tenant, sealer) in answers {
                waiting.remove(tenant)
                sealers[tenant] = sealer
                if waiting.isEmpty { break }
            }
        }
        let without = due.filter { sealers[$0] == nil }
        self.missed.withLock { missed in for tenant in without { missed[tenant] = .now + self.rest } }
        return sealers
    }
}
