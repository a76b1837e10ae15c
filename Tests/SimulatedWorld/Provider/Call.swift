// SPDX-License-Identifier: Apache-2.0
// A request on its way to the simulated provider, and the worker and the run that sent it.

import Model

struct Call {
    enum Kind {
        case create, look, retrieve(Int), delete(Int), deleteSurplus(Int)
    }
    var kind: Kind
    var slot: Int
    var boot: Int
    /// The number of the run; 0 when no run waits for the answer.
    var run: Int
    var user: Int
    var generation: Generation
    /// The shard of the tenant's tag that a create bears.
    var tag: Int?
    /// Whether the worker was stopped between its last check and the send.
    var isZombie = false
    /// Whether the provider has made this second create of one request by itself.
    var isSecond = false
}
