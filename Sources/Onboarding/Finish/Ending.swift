// SPDX-License-Identifier: Apache-2.0
// A job's generation is done with, without a new credential: it is closed at the provider, or there is nothing to do.

import Foundation
package import Model
import Postgres
package import Queue

package struct Ending: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var generation: Generation
    package var how: How
    package var trace: Trace

    package enum How: Sendable, Equatable {
        /// The wanted credential is there.
        case fulfilled
        /// Another generation comes first, and this one after that long. `isMade`: the slot of its tag is the
        /// credential's, so the job does not give it back.
        case passedOver(after: Duration, isMade: Bool)
        /// The provider answered 200 or 404 to the delete of this id.
        case deleted(ProviderID)
        /// It is proven that nothing of this generation exists.
        case absent
    }

    /// The facts, then the job's next goal, in one transaction behind `UserLock`.
    var statements: [SQL] {
        switch self.how {
        case .fulfilled: [UserLock.take(self.user), self.nextGoal]
        case .passedOver(let delay, let isMade):
            [UserLock.take(self.user)] + (isMade ? [] : [self.giveBackSlot])
                + [NextGoal.choose(self.lease, self.user, self.trace, passesOver: delay)]
        case .deleted(let id): [UserLock.take(self.user), self.close(id), NextGoal.openNext(self.user), self.nextGoal]
        case .absent: [UserLock.take(self.user), self.giveBackSlot, self.nextGoal]
        }
    }

    private var nextGoal: SQL { NextGoal.choose(self.lease, self.user, self.trace) }

    /// The credential is no more: evidence, accepted from any epoch. Its tag has a slot again. Index
    /// credentials_provider_id_key.
    private func close(_ id: ProviderID) -> SQL {
        """
        with closed as (
            update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
            where provider_id = \(id) and \(OpenCredential.condition)
            returning tag)
        update dialtone.tenant_tags set held = greatest(0, held - 1), changed_at = clock_timestamp()
        where tenant_id = \(self.user.tenant) and tag = (select tag from closed)
        """
    }

    /// Gives back the slot that was taken for a create that never was. Only the job's holder knows that, and stays the
    /// holder while the tag is waited for: a slot is given back once. Locks the job. Indexes jobs_pkey and
    /// tenant_tags_tag_key.
    private var giveBackSlot: SQL {
        """
        with held as materialized (
            select jobs.tag from dialtone.jobs where \(self.lease.holdsJob) for no key update)
        update dialtone.tenant_tags set held = greatest(0, held - 1), changed_at = clock_timestamp()
        where tenant_id = \(self.user.tenant)
          and tag = (select held.tag from held)
        """
    }
}
