// SPDX-License-Identifier: Apache-2.0
// What must hold of any time: each form of a moment is read as this moment, and damaged text does not crash.

import Foundation

@testable import Model

enum FuzzedTime {
    static func attempt(_ dice: inout FuzzDice) throws {
        // From year 1 to 9998, and most of them in this century.
        let span = dice.chance(30) ? -62_135_596_800..<253_370_764_800 : 1_700_000_000..<2_000_000_000
        // Whole minutes and whole days have forms of their own.
        let unit = [1, 1, 1, 60, 86_400][dice.upTo(5)]
        let seconds = Self.floored(span.lowerBound + Int(dice.next() % UInt64(span.count)), unit) * unit
        let (text, fraction) = Self.text(of: seconds, &dice)
        guard let date = RFC3339.date(text), abs(date.timeIntervalSince1970 - Double(seconds) - fraction) < 1e-4 else {
            throw FuzzFailure("the moment \(seconds) is not read", Array(text.utf8))
        }
        var damaged = Array(text.utf8)
        dice.damage(&damaged)
        for assumesUTC in [false, true] {
            guard let date = RFC3339.date(String(decoding: damaged, as: UTF8.self), assumesUTC: assumesUTC) else {
                continue
            }
            guard (-62_167_305_600...253_402_387_200).contains(date.timeIntervalSince1970) else {
                throw FuzzFailure("a time lies outside the calendar", damaged)
            }
        }
    }

    /// Returns one of the forms in which libraries write a moment, and the fraction of a second in it.
    private static func text(of seconds: Int, _ dice: inout FuzzDice) -> (String, Double) {
        let minutesEast = dice.chance(40) ? 0 : dice.upTo(2 * 24 * 60 - 1) - (24 * 60 - 1)
        let local = seconds + minutesEast * 60
        var day = Self.floored(local, 86_400)
        var clock = local - day * 86_400
        if clock == 0 && dice.chance(50) { (day, clock) = (day - 1, 86_400) }
        let (year, month, date) = Self.date(ofDay: day)
        var text = "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(date))\(dice.one(of: ["T", "t", " "]))"
        text += "\(Self.padded(clock / 3600)):\(Self.padded(clock / 60 % 60))"
        var fraction = 0.0
        if clock % 60 != 0 || dice.chance(70) {
            text += ":\(Self.padded(clock % 60))"
            if clock < 86_400 && dice.chance(50) {
                let digits = String((0...dice.upTo(12)).map { _ in Character("\(dice.upTo(10))") })
                text += dice.one(of: [".", ","]) + digits
                fraction = Double("0.\(digits)") ?? 0
            }
        }
        return (text + Self.zone(minutesEast, &dice), fraction)
    }

    private static func zone(_ minutesEast: Int, _ dice: inout FuzzDice) -> String {
        if minutesEast == 0 && dice.chance(60) { return dice.one(of: ["Z", "z", " UTC", " Z"]) }
        let (hours, minutes) = (abs(minutesEast) / 60, abs(minutesEast) % 60)
        let sign = dice.one(of: ["", " "]) + (minutesEast < 0 ? "-" : "+")
        if minutes == 0 && dice.chance(30) { return sign + Self.padded(hours) }
        return sign + Self.padded(hours) + dice.one(of: [":", ""]) + Self.padded(minutes)
    }

    /// Counts the calendar forward from year 1, in another way than the reader does.
    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        // Day 0 is 0001-01-01. A cycle of the calendar has 400 years, so that a first day may lie in year 0 too.
        var rest = day + 719_162 + 146_097
        var year = 1 - 400 + Self.floored(rest, 146_097) * 400
        rest -= Self.floored(rest, 146_097) * 146_097
        func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        while rest >= (isLeap(year) ? 366 : 365) {
            rest -= isLeap(year) ? 366 : 365
            year += 1
        }
        for (place, length) in [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
            if rest < length { return (year, place + 1, rest + 1) }
            rest -= length
        }
        return (year, 12, 31)
    }

    private static func floored(_ number: Int, _ divisor: Int) -> Int {
        number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
    }

    private static func padded(_ number: Int, _ digits: Int = 2) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
