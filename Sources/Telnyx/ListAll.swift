// SPDX-License-Identifier: Apache-2.0
// Reads a list page by page to its end, so that a credential which is not in it counts as absent.

import Model

extension TelephonyCredentialsAPI {
    /// Returns a list that holds at least as many credentials as its last page says there are.
    ///
    /// Pages shift while credentials come and go, and a credential may fall between two pages. The list is then taken
    /// again, three times at most. Throws `unreadable` when it is still too short, and `unavailable` at `deadline`.
    package func listWhole(
        _ query: ListQuery, until deadline: ContinuousClock.Instant
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        for _ in 1...3 {
            var all: [ProviderID: TelephonyCredential] = [:]
            var total = 0
            for number in 1...1000 {
                if ContinuousClock.now >= deadline { throw TelnyxFailure(.unavailable) }
                let page = try await self.list(query, page: number)
                for credential in page.credentials { all[credential.id] = credential }
                total = page.totalResults ?? 0
                if page.credentials.isEmpty || number >= (page.totalPages ?? Int.max) { break }
            }
            if all.count >= total { return Array(all.values) }
        }
        throw TelnyxFailure(.unreadable)
    }

    /// Returns every page of a list, up to the last page or an empty one. Each credential is in it once, although pages
    /// shift.
    ///
    /// A list that does not end by `deadline` or within `maximumPages` is a failed look, and throws. Its other pages
    /// are not known, and the credentials on them must not be taken for absent.
    package func listAll(
        _ query: ListQuery, until deadline: ContinuousClock.Instant? = nil, maximumPages: Int = 1000
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        var all: [TelephonyCredential] = []
        var ids: Set<ProviderID> = []
        for number in 1...maximumPages {
            if let deadline, ContinuousClock.now >= deadline { throw TelnyxFailure(.unavailable) }
            let page = try await self.list(query, page: number)
            all += page.credentials.filter { ids.insert($0.id).inserted }
            if page.credentials.isEmpty || number >= (page.totalPages ?? Int.max) { return all }
        }
        throw TelnyxFailure(.unreadable)
    }
}
