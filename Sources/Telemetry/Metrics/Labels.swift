// SPDX-License-Identifier: Apache-2.0
// The closed sets of words that the metrics use as labels.

package import Model

/// What became of one delivery.
package enum DeliveryOutcome: String, MetricLabel {
    case accepted, duplicate, superseded, ignored, quarantined
    case badProof = "bad_proof"
    case badPayload = "bad_payload"
    case tenantNotAllowed = "tenant_not_allowed"
    case reused
    case tooLarge = "too_large"
    case unknownHook = "unknown_hook"
    /// Told to come again, because too much of its source, its tenant or its user was under way.
    case busy
    /// Not stored, and not the sender's mistake.
    case unavailable

    package static let labelName = "outcome"
}

extension JobState: MetricLabel {
    package static var labelName: String { "state" }
}

/// How a user came to a credential.
package enum CredentialPath: String, MetricLabel {
    /// By the first create.
    case straight
    /// By a look, after doubt or a change of the server.
    case looked
    /// By a later try.
    case retried

    package static let labelName = "path"
}

/// Why a create may or may not have made a credential.
package enum DoubtCause: String, MetricLabel {
    case timeout
    /// The connection broke before the reply was whole.
    case reset
    /// A status that says neither yes nor no, such as 500.
    case status
    case unreadable
    /// The credential is there, and its password could not be had or sealed.
    case sealFailed = "seal_failed"

    package static let labelName = "cause"
}

/// Why a job was taken from its worker.
package enum RescueReason: String, MetricLabel {
    case leaseExpired = "lease_expired"
    case workerGone = "worker_gone"

    package static let labelName = "reason"
}

/// What became of a request for a login token.
package enum LoginTokenResult: String, MetricLabel {
    case cached, minted, pending, failed, revoked
    case unknown
    case tooMany = "too_many"
    case providerUnavailable = "provider_unavailable"
    /// The database was away, or the username could not be opened.
    case unavailable

    package static let labelName = "result"
}

/// The pools of connections to the database.
package enum PoolName: String, MetricLabel {
    /// The writer's and the worker's.
    case writer
    /// For the sources of known hooks.
    case hooks
    /// For login tokens, API keys and hooks that are not known.
    case requests
    /// For lists and what else only reads.
    case console

    package static let labelName = "pool"
}

/// The connections of one pool in one state.
package struct PoolConnections: MetricLabels {
    package enum State: String, CaseIterable, Sendable {
        case idle, used
    }

    let pool: PoolName
    let state: State

    package init(_ pool: PoolName, _ state: State) {
        self.pool = pool
        self.state = state
    }

    package static var combinations: [PoolConnections] {
        PoolName.allCases.flatMap { pool in State.allCases.map { PoolConnections(pool, $0) } }
    }

    package var pairs: [(name: String, value: String)] {
        [("pool", self.pool.rawValue), ("state", self.state.rawValue)]
    }
}

/// One kind of call to the provider, and the class of its answer.
package struct ProviderCall: MetricLabels {
    package enum Operation: String, CaseIterable, Sendable {
        case create, get, list, delete, token
    }

    package enum Class: String, CaseIterable, Sendable {
        case success = "2xx"
        case refused = "4xx"
        case rateLimited = "429"
        case failed = "5xx"
        /// No answer, or none that was whole.
        case unanswered = "none"
    }

    let operation: Operation
    let answer: Class

    /// `status` is the answer's HTTP status; nil when there was none.
    package init(_ operation: Operation, status: Int?) {
        let answer: Class =
            switch status {
            case .none: .unanswered
            case .some(429): .rateLimited
            case .some(..<300): .success
            case .some(..<500): .refused
            case .some: .failed
            }
        self.init(operation, answer)
    }

    private init(_ operation: Operation, _ answer: Class) {
        self.operation = operation
        self.answer = answer
    }

    package static var combinations: [ProviderCall] {
        Operation.allCases.flatMap { operation in Class.allCases.map { ProviderCall(operation, $0) } }
    }

    package var pairs: [(name: String, value: String)] {
        [("operation", self.operation.rawValue), ("class", self.answer.rawValue)]
    }
}
