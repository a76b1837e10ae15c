// SPDX-License-Identifier: Apache-2.0
// What a visit will do about one tag, collected first, so that a plan that would take too much away can be stopped.

import Model
import Telnyx

/// A credential at the provider, and whose name it bears.
struct OwnedCredential {
    var credential: TelephonyCredential
    var owner: OwnedName
    /// As what it is written down when it is remembered as surplus.
    var kind = FindingKind.second
}

/// The differences between one tag at the provider and the ledger, by what is to be done about them.
struct TagPlan {
    /// Second credentials of a generation whose owner was seen in the same list. Deleting one takes nothing from
    /// anybody.
    var proven: [OwnedCredential] = []
    var surplus: [OwnedCredential] = []
    /// Of a generation that the ledger has forgotten, and of a user who is gone by a word from after that.
    var overtaken: [OwnedCredential] = []
    /// The user's job is to look, because a credential under its name exists.
    var evidence: [OwnedCredential] = []
    /// Their users have in the ledger neither them nor a job.
    var orphans: [OwnedCredential] = []
    /// Of generations whose opening commit the ledger has lost.
    var ahead: [OwnedCredential] = []
    /// Deleted in the ledger, and still listed: to be deleted again.
    var reopened: [(ProviderID, UserKey)] = []
    /// The same of surplus.
    var reopenedSurplus: [ProviderID] = []
    /// Credentials under our names that nothing in the tag explains.
    var strays: [TelephonyCredential] = []
    /// Strays that are gone at the provider.
    var vanishedStrays: [ProviderID] = []
    /// Recorded in the ledger under another tag than the listed one.
    var moved: [ProviderID] = []
    /// How many listed credentials are other tenants', because the provider's filter is not exact.
    var othersTenants = 0
    /// Whether the filter has shown what it should not. A list then proves presence, and counts nothing.
    var isInexact = false
    /// Expired at the provider, which is final. Their users get the next generation, and lose nothing that works.
    var expired: [(ProviderID, LedgerCredential)] = []
    /// Not there. They are asked for once more before they count as gone (`MissingCredentials`).
    var missing: [MissingCredential] = []
    /// There again.
    var found: [ProviderID] = []
    /// How many were asked for by id without an answer.
    var unanswered = 0
    /// How many are not there while no witness says that this is the account of the ledger.
    var unproven = 0
    /// How many a list has left out, when they are too many to be asked for and the first that were asked for are gone.
    var leftOut = 0
    /// To be deleted, and not there.
    var closed: [(ProviderID, LedgerCredential)] = []
    /// How many active credentials a list should show.
    var expected = 0
    /// How many of these are there.
    var seen = 0
    /// Whether the list has left out many credentials, of which one that was asked for is there.
    var isListFailed = false
    /// Whether the calls of this visit ran out before everything was asked for.
    var isUnfinished = false
    /// Whether what takes something away was left out.
    private(set) var isHarmless = false

    /// How many changes take something away. One in `proven` does not count, because nobody loses it, and neither does
    /// an expired one, because it serves nobody.
    var takenAway: Int {
        self.surplus.count + self.overtaken.count + self.reopened.count + self.reopenedSurplus.count
    }

    /// What is deleted as surplus, once the plan is carried out.
    var deletes: [ProviderID] {
        (self.proven + self.surplus + self.overtaken).map(\.credential.id) + self.reopenedSurplus
    }

    /// The part that may be done in a tag where too much would change: everything that takes nothing away.
    var harmless: TagPlan {
        var plan = self
        (plan.proven, plan.surplus, plan.overtaken) = ([], [], [])
        (plan.reopened, plan.reopenedSurplus) = ([], [])
        plan.isHarmless = true
        return plan
    }
}
