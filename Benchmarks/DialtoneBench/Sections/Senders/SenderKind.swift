// SPDX-License-Identifier: Apache-2.0
// The kinds of senders that are measured, and the requests of each.

enum SenderKind {
    case standard, clerk, okta, token

    /// Users of one request.
    var users: Int { self == .okta ? 20 : 1 }
    /// The header that proves the sender.
    var proofHeader: String {
        switch self {
        case .standard: "webhook-signature"
        case .clerk: "svix-signature"
        case .okta, .token: "authorization"
        }
    }

    func requests(_ count: Int, first: Int, on ground: SenderStage) throws -> [[UInt8]] {
        switch self {
        case .standard:
            try SignedRequests(count, first: first, path: ground.stage.hookPath, secret: ground.stage.secret).requests
        case .clerk:
            try SenderRequests.clerk(count, first: first, path: ground.clerk.path, secret: ground.clerk.secret)
        case .okta: SenderRequests.okta(count, first: first, path: ground.okta.path, secret: ground.okta.secret)
        case .token: try SenderRequests.tokens(count, first: first, path: ground.token.path, key: ground.key)
        }
    }
}
