// SPDX-License-Identifier: Apache-2.0
// What a sweep will do about one tag, collected first, so that a plan that would take too much away can be stopped.

import Model
import Telnyx

/// A credential that the ledger has under a tag, unless it is deleted.
struct LedgerCredential {
    var user: UserKey
    var generation: Generation
    var isActive: Bool
    /// Whether it is to be deleted.
    var isClosing: Bool { !self.isActive }
    var isOldEnoughToBeListed: Bool
    var isMissing: Bool
    var isLongMissing: Bool
}

/// The differences between one tag at the provider and the ledger, by what is to be done about them.
struct TagPlan {
    /// Second credentials of a generation whose owner was seen in the same list. Deleting one takes nothing from
    /// anybody.
    var proven: [(TelephonyCredential, UserKey, Generation)] = []
    var surplus: [(TelephonyCredential, UserKey, Generation)] = []
    /// The user's job is to look, because a credential under its name exists.
    var evidence: [(UserKey, Generation)] = []
    /// Users who have a credential at the provider, and in the ledger neither it nor a job.
    var orphans: [UserKey] = []
    /// Generations whose opening commit the ledger has lost.
    var ahead: [(UserKey, Generation)] = []
    /// Deleted in the ledger, and still listed: to be deleted again.
    var reopened: [(ProviderID, UserKey)] = []
    var strays: [TelephonyCredential] = []
    /// Recorded in the ledger under another tag than the listed one.
    var moved: [ProviderID] = []
    /// How many listed credentials are another tenant's, because the provider's filter is not exact.
    var others = 0
    /// Gone or expired at the provider: their users get the next generation.
    var gone: [(ProviderID, LedgerCredential)] = []
    /// Not there, seen for the first time.
    var missing: [ProviderID] = []
    /// There again.
    var found: [ProviderID] = []
    /// How many are not there while no witness says that this is the account of the ledger.
    var unproven = 0
    /// To be deleted, and not there.
    var closed: [(ProviderID, LedgerCredential)] = []
    /// How many active credentials a list should show.
    var expected = 0
    /// How many of these are there.
    var seen = 0

    /// How many changes take something away. A credential in `proven` does not count, because nobody loses it.
    var takenAway: Int { self.surplus.count + self.gone.count + self.reopened.count }

    /// The part that may be done in a tag where too much would change: everything that takes nothing away.
    var harmless: TagPlan {
        var plan = self
        (plan.proven, plan.surplus, plan.reopened, plan.gone) = ([], [], [], [])
        return plan
    }
}
