// SPDX-License-Identifier: Apache-2.0
// How long a second or a late credential may live: the bounds of the design, by virtual time.

import Model

extension Simulation {
    /// Notes until when a credential may live that turns out to be surplus. Bounds are judged in peace.
    ///
    /// A name that is in doubt when its create lands is looked up soon. One in a tag that the ledger has lost is found by
    /// the walk over the account. All others are found by a visit of their tag, when it is quiet or has not been quiet
    /// for long. `watchTags` judges a tag whose count tells of them.
    mutating func bound(_ made: ProviderCredential) {
        guard self.hasSweep, self.isPeace else { return }
        let isFollowed = self.ledger.doubts.contains { $0.user == made.user && $0.generation == made.generation }
        let isLost = self.ledger.tagIndex(made.tag) == nil
        self.boundedUntil[made.id] =
            self.now + (isFollowed ? Times.doubtBound : isLost ? Times.walkBound : self.visitBound)
    }

    /// The period with its spread, the time until a tag that is not quiet is listed, and some calls and retries.
    private var visitBound: Int { self.period * 5 / 4 + min(self.period * 6, Times.listAge) + 150_000 }

    /// A credential that is gone or has expired is seen by a whole list at the latest: a second one in its tag may hide
    /// it from the count. It is asked for again when the quiet time is over.
    private var missingBound: Int { self.period * 5 / 4 + Times.listAge + self.landingTime + 150_000 }

    /// In peace the bounds begin for all that is there, and for all that is missing.
    mutating func boundAll() {
        for credential in self.provider.live { self.bound(credential) }
        guard self.hasSweep else { return }
        self.beginWatch()
        for row in self.ledger.credentials where row.status == .active && !self.provider.isLive(row.id) {
            self.missingUntil[row.id] = self.now + self.missingBound
        }
    }

    /// Judges a credential that is replaced now because it serves no more.
    mutating func checkMissing(_ id: Int) {
        guard let until = self.missingUntil[id], self.now > until else { return }
        self.fail("credential \(id) was taken for active \(self.now - until) ms longer than it may")
    }

    /// Judges a credential that is deleted as surplus now. A stray lives until an operator's word.
    mutating func checkBound(_ id: Int) {
        guard let until = self.boundedUntil[id], self.now > until,
            !self.ledger.strays.contains(where: { $0.id == id })
        else { return }
        self.fail("credential \(id) lived \(self.now - until) ms longer than it may")
    }
}
