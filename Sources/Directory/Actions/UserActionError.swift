// SPDX-License-Identifier: Apache-2.0
// Why an action on one user cannot be done; the text is for the operator.

package import Model

package enum UserActionError: Error, Equatable, CustomStringConvertible {
    case unknownUser(UserKey)
    /// There is no credential to rotate.
    case notReady(UserStatus)
    /// There is nothing to retry.
    case notFailed(UserStatus)
    /// There is nothing to reopen.
    case notRevoked(UserStatus)
    case notErasable(UserKey, ErasureObstacle)

    package var description: String {
        switch self {
        case .unknownUser(let user): "there is no user \(user.user) of tenant \(user.tenant)"
        case .notReady(let status): "only a user who is ready can be rotated; this one is \(status.rawValue)"
        case .notRevoked(let status): "only a user who is revoked can be reopened; this one is \(status.rawValue)"
        case .notErasable(let user, let obstacle):
            "user \(user.user) of tenant \(user.tenant) is not erased: the user \(obstacle.description)"
        case .notFailed(let status):
            "only a user who has failed or waits can be retried; this one is \(status.rawValue)"
        }
    }
}
