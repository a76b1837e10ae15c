// SPDX-License-Identifier: Apache-2.0
// How long a second or a late credential may live: the bounds of the design, by virtual time.

extension Simulation {
    /// A name that is in doubt when its create lands is looked up soon. From then on the bound counts.
    mutating func boundDoubtful(_ made: ProviderCredential) {
        let isFollowed = self.ledger.doubts.contains { $0.user == made.user && $0.generation == made.generation }
        if self.hasSweep, self.isPeace, isFollowed { self.doubtfulSince[made.id] = self.now }
    }

    /// In peace the bounds begin for all that is there.
    mutating func boundAllDoubtful() {
        for credential in self.provider.live { self.boundDoubtful(credential) }
    }

    /// Judges a credential that is deleted as surplus: one whose name was in doubt had to be found by its name.
    mutating func checkBound(_ id: Int) {
        guard let since = self.doubtfulSince[id], self.now - since > Times.doubtBound else { return }
        self.fail("credential \(id) of a name in doubt lived for \(self.now - since) ms")
    }
}
