// SPDX-License-Identifier: Apache-2.0
// A stand-in for the provider that has tags and pages, counts, and errs as a test says.

import Model
import Synchronization
import Telnyx

final class VisitProvider: TelephonyCredentialsAPI {
    struct State: Sendable {
        /// What is there, by tag.
        var tags: [String: [TelephonyCredential]] = [:]
        /// There, and in no list and no total.
        var hidden: Set<ProviderID> = []
        /// What a list says the total is, given the right one.
        var total: @Sendable (Int) -> Int? = { $0 }
        var ignoresFilter = false
        /// Every list that has this number or a multiple of it fails; nil: none.
        var failsEvery: Int?
        /// The next delete is answered 429 with this pause; nil: none is.
        var heldDelete: Duration?
        /// Runs before a list is answered.
        var beforeAnswer: (@Sendable () async -> Void)?
        var lists: [Asked] = []
        var retrieved: [ProviderID] = []
        var deleted: [ProviderID] = []
    }

    /// One call for a page.
    struct Asked: Sendable, Equatable {
        var tag: String?
        var pageSize: Int
    }

    private let state = Mutex(State())

    func change(_ change: (inout State) -> Void) { self.state.withLock { change(&$0) } }

    /// How many calls there were.
    var calls: Int { self.state.withLock { $0.lists.count + $0.retrieved.count } }
    var lists: [Asked] { self.state.withLock(\.lists) }
    var retrieved: [ProviderID] { self.state.withLock(\.retrieved) }
    var deleted: [ProviderID] { self.state.withLock(\.deleted) }

    func add(_ credential: TelephonyCredential, to tag: String) {
        self.change { $0.tags[tag, default: []].append(credential) }
    }

    func remove(_ id: ProviderID) {
        self.change { state in
            for tag in state.tags.keys { state.tags[tag]?.removeAll { $0.id == id } }
        }
    }

    // MARK: The provider's calls

    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        let (state, number) = self.state.withLock { state -> (State, Int) in
            state.lists.append(Asked(tag: query.tag, pageSize: query.pageSize))
            return (state, state.lists.count)
        }
        await state.beforeAnswer?()
        if let every = state.failsEvery, number.isMultiple(of: every) { throw TelnyxFailure(.unavailable) }
        var all: [TelephonyCredential] = []
        for tag in state.tags.keys.sorted() where state.ignoresFilter || query.tag == nil || query.tag == tag {
            all += (state.tags[tag] ?? []).filter { !state.hidden.contains($0.id) }
        }
        let total = state.total(all.count)
        let pages = total.map { max(1, ($0 + query.pageSize - 1) / query.pageSize) }
        let shown = all.dropFirst((page - 1) * query.pageSize).prefix(query.pageSize)
        return CredentialPage(credentials: Array(shown), totalPages: pages, totalResults: total)
    }

    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        let found = self.state.withLock { state -> TelephonyCredential? in
            state.retrieved.append(id)
            return state.tags.values.joined().first { $0.id == id }
        }
        guard let found else { throw TelnyxFailure(.notFound) }
        return found
    }

    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        let pause = self.state.withLock { state -> Duration? in
            defer { state.heldDelete = nil }
            return state.heldDelete
        }
        if let pause { throw TelnyxFailure(.rateLimited, retryAfter: pause) }
        self.change { $0.deleted.append(id) }
        _ = try await self.retrieve(id)
        self.remove(id)
        return ProviderTrace()
    }

    func create(_ request: CreateRequest) async -> CreateOutcome { .notSent("scripted") }

    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken { throw TelnyxFailure(.refused) }
}
