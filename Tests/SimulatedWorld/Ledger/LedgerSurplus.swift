// SPDX-License-Identifier: Apache-2.0
// Credentials under our names that the simulated ledger does not own: which are remembered, and which may be deleted.

import Model

extension Ledger {
    /// Returns the surplus that may be deleted now, as `Surplus.due` does. Its proofs need no trust.
    func dueSurplus(_ server: Int, now: Int) -> [Int] {
        guard self.started == server, !self.isStopped else { return [] }
        let doomed = self.strays.filter { stray in
            !stray.isDeleted && stray.doomedAt.map { $0 + Times.reprieve < now } ?? false
                && !self.credentials.contains { $0.id == stray.id }
        }
        return doomed.map(\.id)
            + self.surplus.filter { row in
                guard !row.isDeleted else { return false }
                guard !self.credentials.contains(where: { $0.id == row.id }) else { return false }
                if self.credentials.contains(where: { $0.user == row.user && $0.generation == row.generation }) {
                    return true
                }
                guard let user = self.users[row.user] else { return false }
                return (user.generation > row.generation || user.wanted == .gone && user.generation == row.generation)
                    && !self.jobs.contains { $0.user == row.user && $0.generation == row.generation }
            }.map(\.id)
    }

    /// Returns the active credential of the generation to which the surplus belongs.
    func owner(ofSurplus id: Int) -> Int? {
        guard let row = self.surplus.first(where: { $0.id == id }) else { return nil }
        return self.credentials.first {
            $0.user == row.user && $0.generation == row.generation && $0.status == .active
        }?.id
    }

    mutating func surplusDeleted(_ id: Int, now: Int) {
        for index in self.strays.indices where self.strays[index].id == id { self.strays[index].isDeleted = true }
        for index in self.surplus.indices where self.surplus[index].id == id {
            self.surplus[index].isDeleted = true
            self.changed(self.surplus[index].tag, now)
        }
    }

    /// Remembers credentials for deletion, unless the ledger owns them. A credential that was deleted before and is
    /// there again is deleted again.
    mutating func remember(_ found: [ProviderCredential], now: Int) {
        for found in found where !self.credentials.contains(where: { $0.id == found.id }) {
            // Of a generation that the ledger has forgotten nothing is proven. A visit finds it.
            guard let owner = self.users[found.user], owner.generation >= found.generation else { continue }
            self.strays.removeAll { $0.id == found.id }
            if let index = self.surplus.firstIndex(where: { $0.id == found.id }) {
                self.surplus[index].isDeleted = false
            } else {
                self.surplus.append(
                    Surplus(
                        id: found.id, user: found.user, generation: found.generation, tag: found.tag, foundAt: now))
            }
        }
    }

    /// Enters a stray, as `Stray.remember` does. One that stands there already keeps what is known of it.
    mutating func rememberStray(_ found: ProviderCredential, now: Int) {
        guard !self.credentials.contains(where: { $0.id == found.id }),
            !self.strays.contains(where: { $0.id == found.id }),
            !self.surplus.contains(where: { $0.id == found.id && !$0.isDeleted })
        else { return }
        self.strays.append(Stray(id: found.id, name: found.name, tag: found.tag, foundAt: now))
    }

    /// Marks all strays for deletion, as an operator's word does. From then on no job adopts one.
    mutating func doomStrays(now: Int) {
        guard !self.looksFirst, !self.isStopped else { return }
        for index in self.strays.indices where self.strays[index].doomedAt == nil {
            self.strays[index].doomedAt = now
        }
    }
}
