// SPDX-License-Identifier: Apache-2.0
// What the provider may be told to do wrong, switched on and off while it runs.

import Foundation

/// One rule: which calls, what goes wrong, how often.
struct Fault: Codable, Sendable, Equatable {
    enum Operation: String, Codable, Sendable {
        case create, list, retrieve, update, delete, token, any

        /// Those a request can be.
        static let requests: [Self] = [.create, .list, .retrieve, .update, .delete, .token]
    }

    enum Kind: String, Codable, Sendable {
        /// Answers after `milliseconds`.
        case delay
        /// The change happens, the connection is closed without an answer.
        case dropAfterCommit = "drop_after_commit"
        /// The change happens, the answer is 500.
        case errorAfterCommit = "error_after_commit"
        /// The change happens, the answer comes after `milliseconds`.
        case delayAfterCommit = "delay_after_commit"
        /// The answer is 504 now, the create lands after `milliseconds`.
        case lateCreate = "late_create"
        /// New credentials are missing from lists for `milliseconds`, whatever else goes wrong with the call.
        case listLag = "list_lag"
        /// 429 with x-ratelimit-* only; `reset` is "seconds", "epoch", "epoch_ms" or "past".
        case rateLimited = "rate_limited"
        /// 500 without a body, nothing happens.
        case empty500 = "empty_500"
        /// The change happens, the answer is the right status with HTML in it.
        case garbage
        /// `status` with the usual error body, nothing happens.
        case status
    }

    var operation: Operation
    var kind: Kind
    var milliseconds: Int?
    var status: Int?
    /// 0 to 1; 1 when left out.
    var probability: Double?
    /// How many calls it still applies to; without end when left out.
    var times: Int?
    var name_prefix: String?
    var connection_id: String?
    var reset: String?
}

/// What goes wrong with one call.
struct Misfortune: Sendable {
    var fault: Fault?
    /// How long lists do not show what it makes.
    var lag: Int?
}

/// The rules in force.
struct Faults: Sendable {
    var rules: [Fault] = []

    /// The first rule that applies to this call, and the first that makes lists lag; one time of each used up.
    mutating func next(
        for operation: Fault.Operation, name: String?, connection: String?, roll: () -> Double
    ) -> Misfortune {
        var next = Misfortune()
        for (place, rule) in self.rules.enumerated() {
            if rule.kind == .listLag ? next.lag != nil : next.fault != nil { continue }
            guard rule.operation == .any || rule.operation == operation else { continue }
            if let prefix = rule.name_prefix, !(name ?? "").hasPrefix(prefix) { continue }
            if let wanted = rule.connection_id, wanted != connection { continue }
            if let times = rule.times, times <= 0 { continue }
            if let probability = rule.probability, roll() >= probability { continue }
            if let times = rule.times { self.rules[place].times = times - 1 }
            if rule.kind == .listLag { next.lag = rule.milliseconds ?? 0 } else { next.fault = rule }
        }
        return next
    }
}
