// SPDX-License-Identifier: Apache-2.0
// One thing that the simulator is told to do wrong.

/// One rule: which calls it applies to, what goes wrong, and how often.
struct Fault: Codable, Sendable, Equatable {
    enum Operation: String, Codable, Sendable {
        case create, list, retrieve, update, delete, token, any

        /// The operations that a request can be.
        static let requests: [Self] = [.create, .list, .retrieve, .update, .delete, .token]
    }

    enum Kind: String, Codable, Sendable {
        /// The call begins after `milliseconds`.
        case delay
        /// The change happens, and the connection closes without a response.
        case dropAfterCommit = "drop_after_commit"
        /// The change happens, and the response is a 500.
        case errorAfterCommit = "error_after_commit"
        /// The change happens, and the response comes after `milliseconds`.
        case delayAfterCommit = "delay_after_commit"
        /// The response is a 504 now, and the create lands after `milliseconds`.
        case lateCreate = "late_create"
        /// New credentials are missing from lists for `milliseconds`, whatever else goes wrong with the call.
        case listLag = "list_lag"
        /// A 429 with x-ratelimit-* headers only; `reset` is "seconds", "epoch", "epoch_ms" or "past".
        case rateLimited = "rate_limited"
        /// Nothing happens, and the response is a 500 without a body.
        case empty500 = "empty_500"
        /// The change happens, and the response has the right status with HTML in it.
        case garbage
        /// Nothing happens, and the response is `status` with the usual error body, after `milliseconds` if they are given.
        /// With 422 and `connection_id` it is that of a connection which does not exist.
        case status
    }

    var operation: Operation
    var kind: Kind
    var milliseconds: Int?
    var status: Int?
    /// From 0 to 1; nil means 1.
    var probability: Double?
    /// How many calls it still applies to; nil means all.
    var times: Int?
    var name_prefix: String?
    var connection_id: String?
    var reset: String?
}
