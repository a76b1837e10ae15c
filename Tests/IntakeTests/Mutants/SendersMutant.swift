// SPDX-License-Identifier: Apache-2.0
// One rule of the senders' writers taken away, and the check that must notice it.

import Postgres
import Synchronization
import Testing

@testable import Intake
@testable import Postgres

struct SendersMutant: Sendable, CustomTestStringConvertible {
    enum Change: Sendable {
        /// A text of a statement becomes another one.
        case text(String, becomes: String)
        /// The statement that has this text is left out.
        case leavesOut(String)
        /// A large delivery's first item is stored with its first part.
        case headFirst
        /// The mark of a whole list stands on its first item.
        case markFirst
    }

    let name: String
    /// The rule that is missing.
    let missing: String
    let changes: [Change]
    let check: SendersCheck

    init(_ name: String, _ missing: String, _ check: SendersCheck, _ changes: Change...) {
        self.name = name
        self.missing = missing
        self.changes = changes
        self.check = check
    }

    /// One text of a statement becomes another one.
    init(_ name: String, _ missing: String, _ check: SendersCheck, _ old: String, becomes new: String) {
        self.init(name, missing, check, .text(old, becomes: new))
    }

    var testDescription: String { "\(self.name): \(self.missing), noticed by \(self.check.name)" }
}

/// Makes a mutant's changes, and notes which of them were made: a text that stands nowhere any more changes nothing.
final class SendersBreaking: Sendable {
    private let changes: [SendersMutant.Change]
    private let made: Mutex<Set<Int>> = Mutex([])

    init(_ changes: [SendersMutant.Change]) { self.changes = changes }

    /// The places of the changes that were not made.
    var left: Set<Int> { self.made.withLock { Set(self.changes.indices).subtracting($0) } }

    /// Returns the statements with the changes in them.
    func change(_ statements: [SQL]) -> [SQL] { statements.map { self.change($0) } }

    func change(_ statement: SQL) -> SQL {
        var changed = statement
        for (place, change) in self.changes.enumerated() {
            switch change {
            case .text(let old, let new) where changed.text.contains(old):
                changed.text = changed.text.replacing(old, with: new)
                self.note(place)
            case .leavesOut(let text) where statement.text.contains(text):
                self.note(place)
                return "select 1"
            default: continue
            }
        }
        return changed
    }

    /// Returns whether item 0 comes with the first part.
    var isHeadFirst: Bool {
        self.has { change in if case .headFirst = change { true } else { false } }
    }

    /// Returns whether the mark stands on the first item.
    var isMarkFirst: Bool {
        self.has { change in if case .markFirst = change { true } else { false } }
    }

    private func has(_ isIt: (SendersMutant.Change) -> Bool) -> Bool {
        guard let place = self.changes.firstIndex(where: isIt) else { return false }
        self.note(place)
        return true
    }

    private func note(_ place: Int) { self.made.withLock { _ = $0.insert(place) } }
}
