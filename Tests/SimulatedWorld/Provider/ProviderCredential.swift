// SPDX-License-Identifier: Apache-2.0
// One credential at the simulated provider. Its password is like no other's, so a mix-up shows.

import Model

struct ProviderCredential {
    let id: Int
    let password: UInt64
    let user: Int
    let generation: Generation
    /// The shard of the tenant's tag that it bears.
    let tag: Int
    let createdAt: Int
    /// When lists begin to show it.
    let listedFrom: Int
    var isThere = true
    /// An expired credential is listed and can be deleted, and serves nobody. It never becomes live again.
    var isExpired = false
    /// The key of its name.
    var name: Int { Simulation.name(self.user, self.generation) }
    var isLive: Bool { self.isThere && !self.isExpired }
}
