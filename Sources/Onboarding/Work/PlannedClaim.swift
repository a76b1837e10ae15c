// SPDX-License-Identifier: Apache-2.0
// A claim that may be sent: permits are in hand for all that it may bring.

import Model
import Postgres
import Queue

struct PlannedClaim {
    let start: QueueStart
    /// How many jobs it may claim: each of them may create.
    let permits: Int
    let terms: ClaimTerms
    /// Scopes whose creates are stopped. Their jobs are set aside before the claim.
    let stopped: [String]

    /// Each is a transaction of its own.
    var groups: [[SQL]] {
        let aside =
            self.stopped.isEmpty
            ? [] : [[SetAside.statement(from: self.start, stopped: self.stopped, era: self.terms.era)]]
        return aside + [[self.statement]]
    }

    private var statement: SQL { ClaimedJob.queued(limit: self.permits, from: self.start, self.terms) }
}
