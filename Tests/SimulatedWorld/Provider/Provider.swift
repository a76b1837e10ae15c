// SPDX-License-Identifier: Apache-2.0
// The simulated provider's account: credentials that are made, listed with a lag, deleted and lost.

import Model

/// The account at the provider.
///
/// The account itself never fails. A call travels to it and back as an occurrence, and everything that goes wrong does
/// so on the way: `Arrival` and `CreateArrival` throw the dice for each call. The only fault of the account is its
/// list, which is late and may skip an entry. `credentials` never shrinks, because an id is an index into it.
struct Provider {
    private(set) var credentials: [ProviderCredential] = []
    /// Ids that the last list left out although they were there. A list never leaves one out twice in a row.
    private var omitted: Set<Int> = []

    var live: [ProviderCredential] { self.credentials.filter(\.isLive) }

    func isLive(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isLive }
    func isThere(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isThere }

    mutating func create(
        user: Int, generation: Generation, password: UInt64, now: Int, lag: Int
    ) -> ProviderCredential {
        let credential = ProviderCredential(
            id: self.credentials.count, password: password, user: user, generation: generation, createdAt: now,
            listedFrom: now + lag)
        self.credentials.append(credential)
        return credential
    }

    /// Deletes a credential. Returns whether it was there.
    mutating func delete(_ id: Int) -> Bool {
        guard self.isThere(id) else { return false }
        self.credentials[id].isThere = false
        return true
    }

    mutating func expire(_ id: Int) { self.credentials[id].isExpired = true }

    /// Returns what a list shows. With `shift` an entry moves between two pages: the list shows one credential twice or
    /// leaves one out. The next list does not leave out the same one.
    mutating func list(now: Int, shift: Bool, where matches: (ProviderCredential) -> Bool) -> [ProviderCredential] {
        var shown = self.credentials.filter { $0.isThere && $0.listedFrom <= now && matches($0) }
        if shift, let index = shown.firstIndex(where: { !self.omitted.contains($0.id) }) {
            self.omitted.insert(shown[index].id)
            let credential = shown.remove(at: index)
            if credential.id.isMultiple(of: 2) { shown += [credential, credential] }
        } else {
            for credential in shown { self.omitted.remove(credential.id) }
        }
        return shown
    }
}
