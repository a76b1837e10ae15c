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
    /// Whether the last list of a tag was shifted or cut.
    private var wasIncomplete = false
    /// What this account does to every list of a tag.
    var habit = Habit.none

    var live: [ProviderCredential] { self.credentials.filter(\.isLive) }

    func isLive(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isLive }
    func isThere(_ id: Int) -> Bool { id < self.credentials.count && self.credentials[id].isThere }

    mutating func create(
        user: Int, generation: Generation, tag: Int, password: UInt64, now: Int, lag: Int
    ) -> ProviderCredential {
        let credential = ProviderCredential(
            id: self.credentials.count, password: password, user: user, generation: generation, tag: tag,
            createdAt: now, listedFrom: now + lag)
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

    /// Returns what a list of a tag shows. No two lists in a row are shifted or cut: two that leave out the same
    /// would be believed. Nor does an account that lies about its totals leave anything out.
    mutating func listTag(_ shard: Int, now: Int, shift: Bool, cut: Bool) -> Page {
        let isHonest = self.habit == .none || self.habit == .ignoresFilter
        let isAll = self.habit == .ignoresFilter
        var page = Page()
        page.total = self.habit.total(
            of: self.credentials.count { $0.isThere && $0.listedFrom <= now && ($0.tag == shard || isAll) })
        let isIncomplete = (shift || cut) && isHonest && !self.wasIncomplete
        self.wasIncomplete = isIncomplete
        page.shown = self.list(now: now, shift: shift && isIncomplete) { $0.tag == shard || isAll }
        if isIncomplete && !shift { page.shown = Array(page.shown.dropLast()) }
        var ids: Set<Int> = []
        page.shown = page.shown.filter { ids.insert($0.id).inserted }
        return page
    }
}
