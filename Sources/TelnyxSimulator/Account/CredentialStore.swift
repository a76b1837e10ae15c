// SPDX-License-Identifier: Apache-2.0
// All credentials of the simulated account, found by id, name and tag, and counted.

import Foundation

/// The account's credentials. The account's lock guards them.
struct CredentialStore {
    private(set) var byID: [String: SimulatedCredential] = [:]
    private var order: [String: Int] = [:]
    /// Ids in the order of their making, from serial 1 on; empty where one is gone.
    private var made: [String] = []
    /// Credentials that lists may not show yet, and from when on they do.
    private var hidden: [String: Date] = [:]
    private var idsByName: [String: [String]] = [:]
    private var idsByTag: [String: Set<String>] = [:]
    private(set) var counts: [String: NameCount] = [:]

    var liveCount: Int { self.byID.count }

    /// Returns how many credentials no list shows yet.
    func unlisted(_ now: Date) -> Int { self.hidden.values.count { $0 > now } }

    func count(inTag tag: String) -> Int { self.idsByTag[tag]?.count ?? 0 }

    mutating func apply(_ entry: JournalEntry) {
        switch entry {
        case .put(let credential, let isNew): self.put(credential, isNew: isNew)
        case .deleted(let id): self.delete(id)
        }
    }

    /// Returns one page of a list, from place `start` on, and how many credentials the whole list has.
    func page(
        _ filter: ListFilter, from start: Int, size: Int, now: Date
    ) -> (shown: [SimulatedCredential], total: Int) {
        guard filter == ListFilter() else {
            let all = self.list(filter, now: now)
            let first = min(start, all.count)
            return (Array(all[first..<first + min(size, all.count - first)]), all.count)
        }
        // A large account is not sorted for each of its pages.
        let total = self.liveCount - self.unlisted(now)
        guard start < total else { return ([], total) }
        let ids = self.made.lazy.filter { !$0.isEmpty && (self.hidden[$0].map { $0 <= now } ?? true) }
        return (ids.dropFirst(start).prefix(size).compactMap { self.byID[$0] }, total)
    }

    /// Returns the credentials that a list shows, the oldest first.
    func list(_ filter: ListFilter, now: Date) -> [SimulatedCredential] {
        var ids: [String]
        if let name = filter.name {
            ids = self.idsByName[name] ?? []
        } else if let tag = filter.tag {
            ids = Array(self.idsByTag[tag] ?? [])
        } else {
            ids = Array(self.byID.keys)
        }
        ids.sort { (self.order[$0] ?? 0) < (self.order[$1] ?? 0) }
        return ids.compactMap { self.byID[$0] }.filter { credential in
            (credential.listedFrom.map { $0 <= now } ?? true)
                && (filter.tag.map { $0 == credential.tag } ?? true)
                && (filter.resourceID.map { $0 == credential.resourceID } ?? true)
                && (filter.sipUsername.map { $0 == credential.sipUsername } ?? true)
                && (filter.status.map { ($0 == "expired") == credential.isExpired(now) } ?? true)
        }
    }

    private mutating func put(_ credential: SimulatedCredential, isNew: Bool) {
        if let old = self.byID[credential.id] {
            self.forget(old)
        } else {
            self.made.append(credential.id)
            self.order[credential.id] = self.made.count
        }
        self.byID[credential.id] = credential
        self.hidden[credential.id] = credential.listedFrom
        self.idsByName[credential.name, default: []].append(credential.id)
        if let tag = credential.tag { self.idsByTag[tag, default: []].insert(credential.id) }
        if isNew { self.counts[credential.name, default: NameCount()].creates += 1 }
    }

    private mutating func delete(_ id: String) {
        guard let credential = self.byID.removeValue(forKey: id) else { return }
        self.forget(credential)
        if let place = self.order.removeValue(forKey: id) { self.made[place - 1] = "" }
        self.hidden[id] = nil
        self.counts[credential.name, default: NameCount()].deletes += 1
    }

    private mutating func forget(_ credential: SimulatedCredential) {
        self.idsByName[credential.name]?.removeAll { $0 == credential.id }
        if let tag = credential.tag { self.idsByTag[tag]?.remove(credential.id) }
    }
}
