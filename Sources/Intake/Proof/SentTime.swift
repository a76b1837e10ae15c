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

    /// Throws unless the text is a time near `now`. `tolerance` and `ahead` are in seconds; a nil `ahead` lets every
    /// later time pass. `name` stands for the time in the error.
    ///
    /// Digits only: a lax reader also takes "1e9" and " 1". With those, one signature would fit several ways to part
    /// time and body.
    static func check(
        _ text: some StringProtocol, in unit: Unit, tolerance: Int64, ahead: Int64?, called name: String, now: Date
    ) throws(ProofFailure) {
        let digits = text.utf8
        guard (1...unit.maximumDigits).contains(digits.count), digits.allSatisfy(Self.isDigit),
            let time = Int64(text)
        else { throw ProofFailure(.malformed, "\(name) must be Unix \(unit.name), digits only") }
        let age = Int64((now.timeIntervalSince1970 * Double(unit.perSecond)).rounded(.down)) - time
        guard age <= tolerance * unit.perSecond else {
            throw ProofFailure(.expired, "\(name), read as \(unit.name), is more than \(tolerance) seconds old")
        }
        guard let ahead, age < -ahead * unit.perSecond else { return }
        throw ProofFailure(.ahead, "\(name), read as \(unit.name), is more than \(ahead) seconds ahead")
    }
}
