// SPDX-License-Identifier: Apache-2.0
// What a request has come to: what is kept of it for an operator, and what its sender is told.

import Model

struct RequestOutcome: Sendable {
    /// One item of the receipt: known, or told when its note is kept.
    private enum Entry: Sendable {
        case item(Receipt.Item)
        /// The place among `notes`.
        case note(Int)
    }

    private let taken: TakenRequest
    private var entries: [Entry] = []
    private(set) var notes: [QuarantineNote] = []
    /// Words of organisations that are not mapped for which quarantine had no room.
    private(set) var notKept = 0

    /// `results` are in the order of the request's deliveries.
    init(_ taken: TakenRequest, _ results: [Result<[Receipt.Item], IntakeError>]) {
        self.taken = taken
        for (delivery, result) in zip(taken.deliveries, results) { self.add(delivery, result) }
    }

    private mutating func add(_ delivery: TakenDelivery, _ result: Result<[Receipt.Item], IntakeError>) {
        var entries: [(item: Int32, entry: Entry)] = []
        switch result {
        case .success(let items):
            for (word, item) in zip(delivery.words.items, items) {
                guard !item.isBeyondFirstTake else {
                    entries.append((word.place, .note(self.notes.count)))
                    self.notes.append(
                        QuarantineNote(
                            item.eventID, of: delivery,
                            item: FirstTake.item(beyond: word.place, by: self.taken.source.version),
                            reason: .mappingChanged, isStored: false, named: word.named))
                    continue
                }
                entries.append((word.place, .item(item)))
                if item.isNotKept { self.notKept += 1 }
                guard item.status == .quarantined, !item.isNotKept else { continue }
                // The writer has stored the event. Its body and what was read of it are kept here.
                self.notes.append(
                    QuarantineNote(
                        item.eventID, of: delivery, item: word.place, reason: .unmapped, isStored: true,
                        named: word.named))
            }
        case .failure(let error):
            entries.append((0, .note(self.notes.count)))
            self.notes.append(
                QuarantineNote(
                    EventID(at: self.taken.request.receivedAt), of: delivery, item: 0,
                    reason: error == .deliveryReused ? .reusedID : .refused, span: .delivery, isStored: false))
        }
        for one in delivery.unusable {
            entries.append((one.item, .note(self.notes.count)))
            self.notes.append(
                QuarantineNote(
                    one.event, of: delivery, item: one.item, reason: .unusable(one.unusable),
                    span: self.span(of: delivery), isStored: false))
        }
        self.entries += entries.sorted { $0.item < $1.item }.map(\.entry)
    }

    /// What cannot be used and is alone in its delivery, or in its request, stands for all of it. The mapping may read
    /// more there one day.
    private func span(of delivery: TakenDelivery) -> QuarantineNote.Span {
        guard delivery.itemCount == 1 else { return .item }
        return self.taken.deliveries.count == 1 ? .request : .delivery
    }

    /// Returns the receipt. `kept` is what became of the notes, in their order.
    func receipt(kept: [Receipt.Item]) -> Receipt {
        let items = self.entries.compactMap { entry in
            switch entry {
            case .item(let item): item
            case .note(let place): place < kept.count ? kept[place] : nil
            }
        }
        let answer = self.taken.answer ?? self.taken.source.mapping.answers[Self.outcome(of: items)]
        return Receipt(items, answer: answer)
            ?? .ignored(EventID(at: self.taken.request.receivedAt), answer: answer)
    }

    private static func outcome(of items: [Receipt.Item]) -> SenderAnswers.Outcome {
        if items.contains(where: { $0.status == .quarantined }) { return .quarantined }
        if items.contains(where: { $0.status == .accepted }) { return .accepted }
        return items.allSatisfy { $0.status == .ignored } ? .ignored : .known
    }
}
