// SPDX-License-Identifier: Apache-2.0
// Asks the provider whether a user has exactly one credential: two calls within the limits, and nothing is changed.

package import Foundation
package import Model
package import ProviderLimits
import Synchronization
package import Telnyx

package struct ProviderQuestion: Sendable {
    package struct Answer: Sendable {
        /// Nil: no answer, or there was no id.
        package var byID: ByID?
        /// What bears the name; nil: no answer.
        package var byName: [Bearer]?
        package var calls = 0
        package var time = Duration.zero
    }

    /// What the provider has under the id. It never shows a tag, so none is compared.
    package enum ByID: Sendable, Equatable {
        case notFound
        /// `hasName`: whether it bears the name that was asked for; nil: no name is shown.
        case found(isExpired: Bool, hasName: Bool?)
    }

    /// A credential that bears the name.
    package struct Bearer: Sendable, Equatable {
        package let id: ProviderID
        package let isExpired: Bool
    }

    private let provider: GuardedProvider
    private let names: CredentialName

    /// `isWorkers`: the key is the workers' own, so its answers are news for them.
    package init(
        api: any TelephonyCredentialsAPI, limits: ProviderLimits, installation: UUID, isWorkers: Bool = true
    ) {
        self.provider = GuardedProvider(api: api, limits: limits, isWorkers: isWorkers, kind: .sweep)
        self.names = CredentialName(installation: installation)
    }

    /// Pages of the name's list at most. More would mean that the filter is not heeded.
    private static let maximumPages = 1
    /// For both calls. Whoever asks over HTTP waits for the answer.
    private static let patience: Duration = .seconds(8)

    /// A call that may not be made now, that fails or that takes too long leaves its part of the answer out.
    ///
    /// Cancelled here: what was not asked is left out.
    package func ask(_ user: UserKey, generation: Generation, id: ProviderID?) async -> Answer {
        let heard = Heard()
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ask(user, generation: generation, id: id, heard) }
            group.addTask { try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
        return heard.answer.withLock { answer in
            answer.time = .now - start
            return answer
        }
    }

    private func ask(_ user: UserKey, generation: Generation, id: ProviderID?, _ heard: Heard) async {
        let name = self.names.name(for: user, generation: generation)
        if let id, await self.mayCall() {
            heard.answer.withLock { $0.calls += 1 }
            do {
                let found = try await self.provider.retrieve(id)
                let hasName = found.name.map { _ in found.bears(name) }
                heard.answer.withLock { $0.byID = .found(isExpired: found.expired, hasName: hasName) }
            } catch  where error.kind == .notFound {
                heard.answer.withLock { $0.byID = .notFound }
            } catch {}
        }
        guard !Task.isCancelled, await self.mayCall() else { return }
        heard.answer.withLock { $0.calls += 1 }
        let found = try? await self.provider.listAll(
            ListQuery(name: name), until: .now + Self.patience, maximumPages: Self.maximumPages)
        // A provider that does not heed the filter shows others' names too.
        let bearers = found?.filter { $0.bears(name) }.map { Bearer(id: $0.id, isExpired: $0.expired) }
        heard.answer.withLock { $0.byName = bearers }
    }

    /// What was heard so far, however long the rest takes.
    private final class Heard: Sendable {
        let answer = Mutex(Answer())
    }

    private func mayCall() async -> Bool { (try? await self.provider.allowsCalls()) ?? false }
}
