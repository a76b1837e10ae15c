// SPDX-License-Identifier: Apache-2.0
// The closed sets of words the tables and the API use for where a user, a credential, an event or a job stands.

/// The desired state of a user: what the newest event about the user asks for.
package enum Wanted: String, Sendable, CaseIterable {
    /// The user shall have a credential.
    case live
    /// The user shall have none.
    case gone
}

/// Where a user stands, for people to read. The worker obeys only `failed`.
package enum UserStatus: String, Sendable, CaseIterable {
    /// A credential is wanted and not there yet.
    case pending
    /// The wanted credential is there. A rotation leaves the user ready while the next one is made.
    case ready
    /// The job was given up. Time, an operator or a new event of the sender makes the next try.
    case failed
    /// No credential is wanted, and one may still exist at the provider.
    case revoking
    /// No credential is wanted, and the ledger has none.
    case revoked
}

/// Where a credential stands between the ledger and the provider.
package enum CredentialStatus: String, Sendable, CaseIterable {
    /// It serves.
    case active
    /// It is to be deleted at the provider. After a rotation it serves until its overlap ends.
    case closing
    /// It is deleted at the provider, or the provider has lost it, or it was left to the installation this one is a
    /// clone of. Its row stays, so that its generation stays closed.
    case deleted
}

/// The outcome of one item of one delivery, as the sender is told. All but `ignored` are stored so.
package enum EventOutcome: String, Sendable, CaseIterable {
    /// It changed what is wanted.
    case accepted
    /// What it asks for was wanted already, or the delivery was seen before.
    case duplicate
    /// The sender has said something newer before it.
    case superseded
    /// Its type asks nothing of us. It is counted and not stored.
    case ignored
    /// An event of an identity provider whose proof holds and whose body cannot be used. It is kept for an operator and
    /// changes nothing.
    case quarantined
}

/// Where a job stands: the column `jobs.state`. Only a job claimed from `queued` may create without looking first.
///
/// A job ends when its row is removed, because its goal is reached. A row that is not `dead` is work to do.
/// `installation confirm --clone` removes every job and enqueues new ones.
package enum JobState: String, Sendable, CaseIterable {
    /// Waits for a claim. No create of its generation can be out.
    ///
    /// Goes to: `armed` at a claim; `inDoubt` when the sweep or a revoke finds that something may exist.
    case queued
    /// Held by a worker, which may send a create or delete an older credential.
    ///
    /// Goes to: its end when the goal is reached; `dead` when it is given up; `scheduled` when it must wait; `inDoubt`
    /// when the answer is unclear, the worker is gone, the lease ran out, or its user's next goal must be looked at;
    /// `queued` when its user's next goal is due at once.
    case armed
    /// Waits until `run_at`: after a refusal, a limit or a failed try, or until an old credential may be deleted.
    ///
    /// Goes to: `queued` when that time has come; `inDoubt` instead when a create was ever in doubt; each of them
    /// sooner when an operator or the sweep asks.
    case scheduled
    /// A credential of its generation may exist: a create's outcome is unknown, or the sweep saw one. Waits until
    /// `run_at` for a look.
    ///
    /// Goes to: `looking` at a claim.
    case inDoubt = "in_doubt"
    /// Held by a worker that looks for the credential at the provider before it does anything else.
    ///
    /// Goes to: its end when the goal is reached; `dead` when it is given up; `armed` when absence is proven and the
    /// lease is renewed for a create; `inDoubt` when the look failed or proved nothing yet, when no create may be sent
    /// now, and as from `armed`; `scheduled` and `queued` as from `armed`.
    case looking
    /// Given up: its user has failed. Waits until `run_at`, an hour or longer.
    ///
    /// Goes to: `inDoubt` when that time has come, or when anything new is asked of its user; `queued` or `inDoubt`
    /// when an older credential is to be deleted meanwhile.
    case dead
}
