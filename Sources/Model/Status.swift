// SPDX-License-Identifier: Apache-2.0
// The closed sets of words the tables and the API use for where a user, a credential, an event or a job stands.

/// The desired state of a user.
package enum Wanted: String, Sendable, CaseIterable {
    case live, gone
}

/// Where a user stands, for people to read.
package enum UserStatus: String, Sendable, CaseIterable {
    case pending, ready, failed, revoking, revoked
}

/// Where a credential stands between the ledger and the provider.
package enum CredentialStatus: String, Sendable, CaseIterable {
    case active, closing, deleted
}

/// What became of one item of one delivery.
package enum EventOutcome: String, Sendable, CaseIterable {
    /// It changed what is wanted.
    case accepted
    /// What it asks for was wanted already, or the delivery was seen before.
    case duplicate
    /// The sender said something newer before.
    case superseded
    /// Its type asks nothing of us.
    case ignored
    /// Genuine, but not to be acted on until an operator looks.
    case quarantined
}

/// `jobs.state`. Only `queued` may send a create without looking first.
package enum JobState: String, Sendable, CaseIterable {
    case queued, armed, scheduled
    case inDoubt = "in_doubt"
    case looking
}
