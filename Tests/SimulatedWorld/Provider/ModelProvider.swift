// SPDX-License-Identifier: Apache-2.0
// The provider as the simulation has it: an account that may answer late, wrongly or not at all, and lists with a lag.

import Model

/// One credential at the provider. Its password is like no other's, so that a mix-up shows.
struct ModelCredential {
    let id: Int
    let password: UInt64
    let user: Int
    let generation: Generation
    let createdAt: Int
    /// When lists begin to show it.
    let listedFrom: Int
    var isThere = true
    /// Terminal: it is listed and can be deleted, and serves nobody.
    var isExpired = false
    var isLive: Bool { self.isThere && !self.isExpired }
}

struct ModelProvider {
    private(set) var credentials: [ModelCredential] = []
    /// Ids a list left out although they were there; never twice in a row.
    private var omitted: Set<Int> = []

    var live: [ModelCredential] { self.credentials.filter(\.isLive) }

    func isLive(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isLive }
    func isThere(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isThere }

    mutating func create(
        user: Int, generation: Generation, password: UInt64, now: Int, lag: Int
    ) -> ModelCredential {
        let credential = ModelCredential(
            id: self.credentials.count, password: password, user: user, generation: generation, createdAt: now,
            listedFrom: now + lag)
        self.credentials.append(credential)
        return credential
    }

    /// Answers whether there was one.
    mutating func delete(_ id: Int) -> Bool {
        guard self.isThere(id) else { return false }
        self.credentials[id].isThere = false
        return true
    }

    mutating func expire(_ id: Int) { self.credentials[id].isExpired = true }

    /// What a list shows; a shift between two pages may show one twice, or leave one out, but not the same one in the
    /// next list too.
    mutating func list(now: Int, shift: Bool, where matches: (ModelCredential) -> Bool) -> [ModelCredential] {
        var shown = self.credentials.filter { $0.isThere && $0.listedFrom <= now && matches($0) }
        if shift, let place = shown.firstIndex(where: { !self.omitted.contains($0.id) }) {
            self.omitted.insert(shown[place].id)
            let credential = shown.remove(at: place)
            if credential.id.isMultiple(of: 2) { shown += [credential, credential] }
        } else {
            for credential in shown { self.omitted.remove(credential.id) }
        }
        return shown
    }
}
