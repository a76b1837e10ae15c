// SPDX-License-Identifier: Apache-2.0
// The SIP username and password are sealed before anything of a credential is written down.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import Queue
import Telemetry
import Telnyx
import Vault

extension JobRun {
    /// Seals what the provider gave, and returns it as evidence. Whatever fails here leaves a credential behind that
    /// must be found again (`cannotTake`).
    func seal(_ id: ProviderID, _ state: inout RunState) async -> JobResult {
        do {
            guard let (credential, secrets) = try await self.credential(id, state) else {
                return await self.cannotTake(id, .hasNoPassword, &state)
            }
            let (user, generation) = (state.job.user, state.job.life.generation)
            var sealer = state.sealer
            if sealer == nil { sealer = try await self.vault.sealer(for: user.tenant.rawValue) }
            guard let sealer else { return await self.cannotTake(id, .notNow, &state) }
            return .owned(
                Evidence(
                    lease: state.job.lease, installation: self.names.id, user: user, generation: generation,
                    providerID: id, name: self.name(state), tag: state.job.tag ?? "",
                    sealedUsername: try sealer.seal(
                        secrets.username, .credential("sealed_username", of: user, generation: generation, id)),
                    sealedPassword: try sealer.seal(
                        secrets.password.reveal(),
                        .credential("sealed_password", of: user, generation: generation, id)),
                    usernameIndex: sealer.blindIndex(secrets.username, column: "sip_username"),
                    expiresAt: credential.expiresAt, overlap: state.job.overlap, trace: state.logged,
                    arrival: state.job.arrival, path: state.path,
                    wasDoubted: state.isFromDoubt || state.job.life.isDoubtful || state.isAdopted))
        } catch {
            return await self.cannotTake(id, .notNow, &state)
        }
    }

    /// The credential with its username and password. A list may leave the password out; then it is asked for by id.
    private func credential(
        _ id: ProviderID, _ state: RunState
    ) async throws -> (TelephonyCredential, (username: String, password: Secret<String>))? {
        var credential = state.found
        if credential?.id != id || credential?.sipPassword == nil || credential?.sipUsername == nil {
            credential = try await self.provider.retrieve(id)
        }
        guard let credential, let username = credential.sipUsername, let password = credential.sipPassword else {
            return nil
        }
        return (credential, (username, password))
    }
}
