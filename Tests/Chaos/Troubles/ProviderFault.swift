// SPDX-License-Identifier: Apache-2.0
// The faults that the simulator is told to have in a round: every kind it knows, often two at once.

/// A rule as the simulator's `/control/faults` takes it.
struct ProviderFault: Encodable, CustomStringConvertible {
    var operation = "create"
    var kind: String
    var milliseconds: Int?
    var status: Int?
    var probability: Double?
    var times: Int?
    var connection_id: String?
    var reset: String?

    var description: String {
        let details = [
            self.status.map { "\($0)" }, self.milliseconds.map { "\($0) ms" }, self.reset,
            self.connection_id.map { "for \($0)" }, self.times.map { "\($0) times" },
        ].compactMap { $0 }
        return ([self.operation, self.kind] + details).joined(separator: " ")
    }

    /// Returns the rules of a round. The simulator adds a list's lag to any other fault of a create.
    static func roll(using dice: inout some RandomNumberGenerator) -> [ProviderFault] {
        var rules: [ProviderFault] = []
        if Int.random(in: 0..<3, using: &dice) == 0 {
            // The create lands when the quiet time is over and another one was made. Only this makes a second
            // credential.
            rules.append(Self.late(20_000...30_000, 0.2, using: &dice))
        }
        switch Int.random(in: 0..<20, using: &dice) {
        case 0, 1: break
        case 2...4:
            // The dangerous pair: the reply is lost, and the list does not show what was made.
            rules.append(Self.lostReply(using: &dice))
            rules.append(Self.lag(using: &dice))
        case 5, 6:
            rules.append(Self.any(using: &dice))
            rules.append(Self.any(using: &dice))
        case 7, 8: rules.append(Self.refusal(using: &dice))
        default: rules.append(Self.any(using: &dice))
        }
        return rules
    }

    private static func any(using dice: inout some RandomNumberGenerator) -> ProviderFault {
        switch Int.random(in: 0..<9, using: &dice) {
        case 0, 1: return Self.lostReply(using: &dice)
        case 2:
            return Self.late([2500...2500, 10_000...14_000].randomElement(using: &dice) ?? 0...0, 0.25, using: &dice)
        case 3: return Self.lag(using: &dice)
        case 4:
            let reset = ["seconds", "epoch", "epoch_ms", "past"].randomElement(using: &dice)
            return ProviderFault(kind: "rate_limited", milliseconds: 2000, probability: 0.2, reset: reset)
        case 5: return ProviderFault(operation: "any", kind: "empty_500", probability: 0.3)
        case 6: return ProviderFault(operation: "any", kind: "delay", milliseconds: 2500, probability: 0.2)
        case 7: return ProviderFault(operation: "any", kind: "status", status: 500, probability: 0.3, times: 6)
        default: return ProviderFault(operation: "delete", kind: "drop_after_commit", probability: 0.5)
        }
    }

    /// The credential is made, and its worker is not told, or not within its deadline of two seconds.
    private static func lostReply(using dice: inout some RandomNumberGenerator) -> ProviderFault {
        let kinds = ["drop_after_commit", "error_after_commit", "delay_after_commit", "garbage"]
        let kind = kinds.randomElement(using: &dice) ?? "garbage"
        return ProviderFault(
            kind: kind, milliseconds: kind == "delay_after_commit" ? 3000 : nil, probability: 0.3)
    }

    private static func late(
        _ range: ClosedRange<Int>, _ probability: Double, using dice: inout some RandomNumberGenerator
    ) -> ProviderFault {
        ProviderFault(
            kind: "late_create", milliseconds: Int.random(in: range, using: &dice), probability: probability)
    }

    /// The lag is mostly within the quiet time, and sometimes far beyond it. Then two empty answers are both wrong.
    private static func lag(using dice: inout some RandomNumberGenerator) -> ProviderFault {
        let wait = [2000, 2000, 5000, 20_000].randomElement(using: &dice) ?? 2000
        return ProviderFault(kind: "list_lag", milliseconds: wait, probability: 0.6)
    }

    /// Refusals stop the account, a connection or a user. They are few, because all creates wait half a minute after
    /// the account was refused.
    private static func refusal(using dice: inout some RandomNumberGenerator) -> ProviderFault {
        let times = Int.random(in: 1...4, using: &dice)
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: return ProviderFault(operation: "any", kind: "status", status: 401, probability: 0.5, times: times)
        case 1: return ProviderFault(operation: "any", kind: "status", status: 403, probability: 0.5, times: times)
        case 2:
            return ProviderFault(
                kind: "status", status: 403, times: times,
                connection_id: Deployment.connections.randomElement(using: &dice))
        default: return ProviderFault(kind: "status", status: 422, probability: 0.5, times: times)
        }
    }
}
