// SPDX-License-Identifier: Apache-2.0
// The lines that `dialtone event replay` prints: what was read then, what is read now, and the effect.

import Intake
package import Model

package struct ReplayThenLine: Encodable, Sendable {
    @OrNull package private(set) var picks: [String: String]?
    package let reason: String
    @OrNull package private(set) var pointer: String?
    package let config_version: Int32

    init(_ then: ReplayReport.Then) {
        self.reason = then.reason
        self.config_version = then.version
        self.picks = then.picks
        self.pointer = then.place
    }
}

package struct ReplayNowLine: Encodable, Sendable {
    package let picks: [String: String]
    /// Why it cannot be used; null: it can.
    @OrNull package private(set) var reason: String?
    @OrNull package private(set) var pointer: String?
    package let config_version: Int32

    init(_ now: ReplayReport.Now) {
        self.picks = now.picks
        self.config_version = now.version
        self.reason = now.reason
        self.pointer = now.place
    }
}

package struct ReplayEffectLine: Encodable, Sendable {
    package let outcome: String
    @OrNull package private(set) var detail: String?
    /// Of whom something else is wanted.
    package let users: [EventUserLine]
    /// Events that are read there besides this one, and are new.
    package let further: Int

    init(_ effect: ReplayReport.Effect) {
        self.outcome = effect.outcome
        self.users = effect.users.map { EventUserLine($0.user, $0.wanted) }
        self.further = effect.further
        self.detail = effect.detail
    }
}

package struct ReplayLine: Line {
    package let event_id: String
    /// 'replayed', 'ignored', 'stays', 'settled' or 'impossible'.
    package let result: String
    /// Why nothing was done; null: something was.
    @OrNull package private(set) var reason: String?
    package let dry_run: Bool
    package let then: ReplayThenLine
    @OrNull package private(set) var now: ReplayNowLine?
    @OrNull package private(set) var effect: ReplayEffectLine?

    package static let heading = ["EVENT", "RESULT", "THEN", "NOW", "EFFECT"]
    package static let flexible = [4, 3]
    package static let spare = [2]
    package var cells: [String] {
        [self.event_id, self.result, self.then.reason, self.nowWords, self.reason ?? self.effectWords]
    }

    init(_ report: ReplayReport, isDry: Bool) {
        self.event_id = report.event.description
        self.result = report.outcome.rawValue
        self.dry_run = isDry
        self.then = ReplayThenLine(report.then)
        self.reason = report.reason
        self.now = report.now.map(ReplayNowLine.init)
        self.effect = report.effect.map(ReplayEffectLine.init)
    }

    /// Whether the event is out of quarantine by this, or would be.
    package var isDone: Bool { self.result == "replayed" || self.result == "ignored" }

    private var nowWords: String { self.now.map { $0.reason ?? "usable" } ?? "" }

    private var effectWords: String {
        guard let effect = self.effect else { return "" }
        let further = effect.further == 0 ? [] : ["\(effect.further) further events"]
        let words = effect.users.map(\.words) + further
        let outcome = [effect.outcome, effect.detail].compactMap(\.self).joined(separator: ", ")
        return ([outcome] + words).joined(separator: "; ")
    }

    /// The same in several lines, for one event.
    package var summary: String {
        let verb = self.dry_run ? "would be " : ""
        var lines = ["event \(self.event_id): \(self.isDone ? verb : "")\(self.result)"]
        if let reason = self.reason { lines.append("  because  \(VisibleText.escaped(reason))") }
        let then = ReadingWords.reason(self.then.reason, at: self.then.pointer)
        lines.append("  then     \(Self.words(self.then.picks, then, self.then.config_version))")
        if let now = self.now {
            let reason = ReadingWords.reason(now.reason ?? "usable", at: now.pointer)
            lines.append("  now      \(Self.words(now.picks, reason, now.config_version))")
        }
        if self.effect != nil { lines.append("  effect   \(VisibleText.escaped(self.effectWords))") }
        return lines.joined(separator: "\n")
    }

    private static func words(_ picks: [String: String]?, _ reason: String, _ version: Int32) -> String {
        let picked = ReadingWords.picks(picks)
        let told = picked.isEmpty ? "" : ": \(picked.joined(separator: ", "))"
        return VisibleText.escaped("\(reason) (mapping version \(version))\(told)")
    }
}

/// What a mapping has read, in a person's words.
enum ReadingWords {
    static func reason(_ reason: String, at pointer: String?) -> String {
        pointer.map { "\(reason) at \($0)" } ?? reason
    }

    static func picks(_ picks: [String: String]?) -> [String] {
        (picks ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
    }
}

/// What became of an event that was to be dropped.
package struct DropLine: Encodable, Sendable {
    package let event_id: String
    package let dropped: Bool
    /// Why it was not; null: it was.
    @OrNull package private(set) var reason: String?

    init(_ event: EventID, reason: String?) {
        self.event_id = event.description
        self.dropped = reason == nil
        self.reason = reason
    }
}
