// SPDX-License-Identifier: Apache-2.0
// Reads when the sender says that an event happened.

import Foundation
import Model

extension Reading {
    /// Seconds by which a sender's clock may be ahead of ours.
    private static let maximumAhead: TimeInterval = 300

    /// Returns the word's time. A time that is unreadable or far ahead must not keep a credential alive: a word that
    /// takes something away counts as of its arrival then. Any other word cannot be used.
    mutating func moment(of part: WordPart) throws(Unusable) -> Word.Moment {
        do throws(Unusable) {
            for time in part.times {
                self.key = "time"
                guard let text = try self.pick(time.value), !text.isEmpty else { continue }
                guard let date = Self.date(text, time.form) else {
                    throw Unusable(.badTime, self.placeOfPicked)
                }
                // No sign-up happened before 1970: such a time was never set (Go's year 1, a Unix time of 0).
                if date.timeIntervalSince1970 < 1 { continue }
                guard date <= self.request.readAt + Self.maximumAhead else {
                    throw Unusable(.timeAhead, self.placeOfPicked)
                }
                return .at(date)
            }
        } catch {
            if part.isTaking { return .arrival }
            throw error
        }
        return part.countsArrival ? .arrival : .unknown
    }

    static func date(_ text: String, _ form: TimeValue.Form) -> Date? {
        switch form {
        case .rfc3339: return RFC3339.date(text)
        case .utc: return RFC3339.date(text, assumesUTC: true)
        case .seconds: return Self.number(text).map(Date.init(timeIntervalSince1970:))
        case .milliseconds: return Self.number(text).map { Date(timeIntervalSince1970: $0 / 1000) }
        case .auto:
            return Self.number(text).map {
                Date(timeIntervalSince1970: abs($0) < Self.firstMillisecond ? $0 : $0 / 1000)
            }
        }
    }

    /// 10^11 milliseconds are in 1973, and 10^11 seconds in the year 5138.
    private static let firstMillisecond = 100_000_000_000.0

    /// A number of JSON, as such or as a text. Nil for one that is no moment of the years until 9999.
    private static func number(_ text: String) -> Double? {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                true
            default: false
            }
        }
        guard text.utf8.count <= 32, allowed, let number = Double(text), abs(number) < 253_402_300_800_000 else {
            return nil
        }
        return number
    }
}
