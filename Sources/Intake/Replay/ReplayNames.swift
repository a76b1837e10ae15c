// SPDX-License-Identifier: Apache-2.0
// The names that an event in quarantine tells, sealed before the transaction that settles it.

import Model
import Postgres

extension ReplayWriting {
    /// Returns the sealed names by their events. Empty: the source keeps none, or nothing is told.
    ///
    /// Cancelled here: nothing was begun.
    func sealedNames(by sealing: NameSealing, in pool: PostgresPool) async throws -> [EventID: NewName] {
        if self.source.isTracked {
            let words = self.ownWord.map { [self.tracked($0)] } ?? []
            let all = words + self.furtherWords.map { (one, word) in self.tracked(word, one) }
            return Self.names(of: try await sealing.seal(all, in: pool))
        }
        let events = self.ownWord.flatMap { self.plain($0) }.map { [$0] } ?? []
        let all = events + self.furtherWords.compactMap { (one, word) in self.plain(word, one) }
        return Self.names(of: await sealing.seal(all))
    }

    private var ownWord: Word? { if case .word(let word) = self.reading.own { word } else { nil } }

    private static func names<Event: NamingEvent>(of events: [Event]) -> [EventID: NewName] {
        events.reduce(into: [:]) { names, event in
            if let name = event.name { names[event.id] = name }
        }
    }
}
