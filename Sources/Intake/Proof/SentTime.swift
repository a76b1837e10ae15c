// SPDX-License-Identifier: Apache-2.0
// The time that a sender signs with a delivery, so that an old delivery cannot be sent again by somebody else.

import Foundation

enum SentTime {
    enum Unit: String, Sendable, CaseIterable {
        case seconds = "s"
        case milliseconds = "ms"

        var perSecond: Int64 { self == .seconds ? 1 : 1000 }
        var name: String { self == .seconds ? "seconds" : "milliseconds" }
        /// Enough for thousands of years. More digits are another unit.
        var maximumDigits: Int { self == .seconds ? 12 : 15 }
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Returns nil for a time near `now`, and throws for a text that is no time. `tolerance` and `ahead` are in seconds;
    /// a nil `ahead` lets every later time pass. `name` stands for the time in the error.
    ///
    /// Digits only: a lax reader also takes "1e9" and " 1". With those, one signature would fit several ways to part
    /// time and body.
    static func untimely(
        _ text: some StringProtocol, in unit: Unit, tolerance: Int64, ahead: Int64?, called name: String, now: Date
    ) throws(ProofFailure) -> Untimely? {
        let digits = text.utf8
        guard (1...unit.maximumDigits).contains(digits.count), digits.allSatisfy(Self.isDigit),
            let time = Int64(text)
        else { throw ProofFailure(.malformed, "\(name) must be Unix \(unit.name), digits only") }
        let age = Int64((now.timeIntervalSince1970 * Double(unit.perSecond)).rounded(.down)) - time
        let apart = -age * (1000 / unit.perSecond)
        guard age <= tolerance * unit.perSecond else {
            let reason = "\(name), read as \(unit.name), is more than \(tolerance) seconds old"
            return Untimely(failure: ProofFailure(.expired, reason), millisecondsApart: apart)
        }
        guard let ahead, age < -ahead * unit.perSecond else { return nil }
        let reason = "\(name), read as \(unit.name), is more than \(ahead) seconds ahead"
        return Untimely(failure: ProofFailure(.ahead, reason), millisecondsApart: apart)
    }
}

/// A time that is too far from ours. The rest of the proof is checked all the same: whether it holds tells an operator
/// that a clock is wrong, and not the secret.
struct Untimely: Sendable {
    let failure: ProofFailure
    /// The sender's time minus ours. Nil: the sender has told no time of its own.
    let millisecondsApart: Int64?

    /// The failure of a proof that holds but for the time.
    var onlyFailure: ProofFailure { self.failure.ofClocks(apart: self.millisecondsApart) }
}
