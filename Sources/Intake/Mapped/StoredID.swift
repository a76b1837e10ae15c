// SPDX-License-Identifier: Apache-2.0
// The id under which the ledger has a delivery: the sender's own, or a hash of it where the source signs no time.

import Model

/// Where a source signs no time, the id alone guards against a replay, so an erasure could not take a name out of it.
/// There the ledger has a hash of every id, whatever a mapping reads of the delivery. The same id has the same hash
/// again. The canonical event's source always signs a time, and has its senders' ids.
struct StoredID: Sendable, Equatable {
    let source: SourceID
    /// The sender's own id.
    let sent: String
    /// What the ledger has.
    let text: String
    /// What the ledger may have instead. Nil: the source's proofs have always been of one kind.
    let former: String?

    init(_ sent: String, of source: SourceID, by compiled: CompiledTerms) {
        self.init(sent, of: source, signsTime: compiled.signsTime, haveChanged: compiled.key.idsChanged)
    }

    /// `haveChanged`: the source has signed a time before and signs none now, or the other way round.
    init(_ sent: String, of source: SourceID, signsTime: Bool, haveChanged: Bool = false) {
        self.source = source
        self.sent = sent
        guard haveChanged || !signsTime else {
            (self.text, self.former) = (sent, nil)
            return
        }
        let hash = Self.hash(sent, of: source)
        self.text = signsTime ? sent : hash
        self.former = haveChanged ? (signsTime ? hash : sent) : nil
    }

    /// The sender's own id where the ledger has a hash of it; nil: it has the id.
    var hidden: String? { self.text == self.sent ? nil : self.sent }

    /// Whether a row with this id may be of the delivery. The proofs may have been of the other kind when it came.
    func isIn(_ id: String) -> Bool { id == self.sent || id == Self.hash(self.sent, of: self.source) }

    /// What the ledger may have to move.
    var move: MovedID? {
        self.former.map { MovedID(source: self.source, former: $0, now: self.text, sent: self.hidden) }
    }

    /// The same as `DeliveryHash` in `Directory` has it in SQL.
    static func hash(_ id: String, of source: SourceID) -> String {
        "sha256:" + Reading.hexadecimal(of: Array("\(source.rawValue.lowercase):\(id)".utf8)[...])
    }
}

/// A delivery's id that the ledger may have in the form from before its source's proofs became of another kind.
struct MovedID: Sendable, Hashable {
    let source: SourceID
    let former: String
    let now: String
    /// The sender's own id where `now` is a hash of it; nil: `now` is the id.
    let sent: String?
}
