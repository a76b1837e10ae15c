// SPDX-License-Identifier: Apache-2.0
// What kind of failure an error is to whoever has called a command: it decides the exit code.

import Directory
import Intake
import Model
import Postgres

package enum FailureKind: Sendable {
    case failed
    /// The request itself is wrong.
    case usage
    case notFound
    /// The key is missing, unknown or may not do it.
    case notAllowed
    /// The thing is not in a state for it.
    case wrongState
    /// The same may work later.
    case unavailable

    package static func of(_ error: any Error) -> FailureKind {
        switch error {
        case let problem as ServiceProblem: Self.of(problem)
        case is TenantNotReached, is NotReached, TenantError.unknown: .notFound
        case is NoAnswer: .unavailable
        case let error as UserActionError: Self.of(error)
        case let error as SourceError: Self.of(error)
        case is TenantError: .wrongState
        case let error as PostgresError: error.isUnavailable ? .unavailable : .failed
        default: .failed
        }
    }

    private static func of(_ problem: ServiceProblem) -> FailureKind {
        switch problem.status {
        case 400, 422: .usage
        case 401, 403: .notAllowed
        case 404: .notFound
        case 409, 410: .wrongState
        case 429, 503: .unavailable
        default: .failed
        }
    }

    private static func of(_ error: UserActionError) -> FailureKind {
        switch error {
        case .unknownUser: .notFound
        case .notReady, .notFailed, .notRevoked, .notErasable: .wrongState
        }
    }

    private static func of(_ error: SourceError) -> FailureKind {
        switch error {
        case .unknownTenant: .notFound
        case .slugTaken: .wrongState
        default: .failed
        }
    }
}
