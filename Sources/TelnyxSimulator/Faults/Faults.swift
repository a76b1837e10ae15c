// SPDX-License-Identifier: Apache-2.0
// The rules in force, switched on and off while the simulator runs.

/// The faults of one call.
struct Misfortune: Sendable {
    var fault: Fault?
    /// For how many milliseconds lists do not show the credential that it makes.
    var lag: Int?
}

/// The rules in force.
struct Faults: Sendable {
    var rules: [Fault] = []

    /// Returns the first rule that applies to this call, and the first that makes lists lag. Uses up one time of each.
    ///
    /// `roll` gives a random number from 0 up to 1.
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
