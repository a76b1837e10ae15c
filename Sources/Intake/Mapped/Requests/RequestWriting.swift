// SPDX-License-Identifier: Apache-2.0
// Writes the deliveries of one request, and answers it when all of them are stored.

import Counts
import Model
import Synchronization

/// A request of one delivery is one write. One of many writes a few at a time, so that its source's room in the line is
/// never taken by one request. When one delivery cannot be stored now, the sender is told to come again, and the
/// ledger then knows those that were stored.
final class RequestWriting: Sendable {
    private struct State: Sendable {
        var next = 0
        var open = 0
        var results: [Result<[Receipt.Item], IntakeError>?]
        var refusal: IntakeError?

        /// Takes the next delivery that has something to write.
        mutating func take() -> Int? {
            while self.next < self.results.count {
                self.next += 1
                guard self.results[self.next - 1] == nil else { continue }
                self.open += 1
                return self.next - 1
            }
            return nil
        }

        var isAtEnd: Bool {
            self.open == 0 && (self.refusal != nil || self.results[self.next...].allSatisfy { $0 != nil })
        }
    }

    /// Deliveries that wait at once. The line takes twice as many that name one person.
    private static let width = 8

    private let taken: TakenRequest
    private let writers: MappedWriters
    private let lengths: @Sendable () -> [HeaderLength]
    private let answer: WriteCompletion
    private let state: Mutex<State>

    init(
        _ taken: TakenRequest, by writers: MappedWriters, lengths: @escaping @Sendable () -> [HeaderLength],
        answer: @escaping WriteCompletion
    ) {
        self.taken = taken
        self.writers = writers
        self.lengths = lengths
        self.answer = answer
        self.state = Mutex(
            State(results: taken.deliveries.map { $0.words.count == 0 ? .success([]) : nil }))
    }

    /// Calls the answer once, perhaps before this returns.
    func begin() {
        guard self.taken.deliveries.contains(where: { $0.words.count > 0 }) else { return self.end() }
        self.goOn()
    }

    private func goOn() {
        while let place = self.nextPlace() {
            switch self.taken.deliveries[place].words {
            case .none: continue
            case .plain(let delivery): self.write(delivery, by: self.writers.plain, place)
            case .tracked(let delivery): self.write(delivery, by: self.writers.tracked, place)
            }
        }
    }

    private func nextPlace() -> Int? {
        self.state.withLock { state in
            guard state.refusal == nil, state.open < Self.width else { return nil }
            return state.take()
        }
    }

    private func write<Delivery: LineDelivery>(
        _ delivery: Delivery, by writer: GroupCommit<Delivery>, _ place: Int
    ) {
        self.write(delivery.parts[...], by: writer, place, told: [])
    }

    /// Writes the first of these parts, and then the others. `told` is what became of the parts before.
    private func write<Delivery: LineDelivery>(
        _ parts: ArraySlice<Delivery>, by writer: GroupCommit<Delivery>, _ place: Int, told: [Receipt.Item]
    ) {
        guard let part = parts.first else { return self.finish(place, .success(told)) }
        let isLast = parts.count == 1
        writer.write(part) { result in
            switch result {
            case .success(let receipt):
                var items = told + receipt.items
                // Item 0 was written with the last part.
                if isLast && !told.isEmpty { items.insert(items.remove(at: told.count), at: 0) }
                self.write(parts.dropFirst(), by: writer, place, told: items)
            case .failure(let error): self.finish(place, .failure(error))
            }
        }
    }

    private func finish(_ place: Int, _ result: Result<[Receipt.Item], IntakeError>) {
        let isEnd = self.state.withLock { state in
            state.results[place] = result
            state.open -= 1
            if case .failure(let error) = result, !error.isOfContent { state.refusal = error }
            return state.isAtEnd
        }
        if isEnd { self.end() } else { self.goOn() }
    }

    // MARK: The end

    private func end() {
        let (results, refusal) = self.state.withLock { ($0.results, $0.refusal) }
        if let refusal { return self.refuse(refusal) }
        let told = RequestOutcome(self.taken, results.map { $0 ?? .success([]) })
        let notes = told.notes
        guard !notes.isEmpty else {
            self.countIgnored(and: told)
            return self.answer(.success(told.receipt(kept: [])))
        }
        let request = QuarantinedRequest(
            source: self.taken.source, request: self.taken.request, secret: self.taken.secret, notes: notes)
        self.writers.quarantine.keep(request) { result in
            switch result {
            case .success(let kept):
                let ignored = kept.count { $0.status == .ignored }
                self.taken.source.budget.countQuarantined(kept.count - ignored)
                self.taken.source.budget.countIgnored(ignored)
                self.countIgnored(and: told)
                self.countNotKept(notes, kept)
                self.count(notes, kept)
                self.answer(.success(told.receipt(kept: kept)))
            case .failure(let error): self.refuse(error)
            }
        }
    }

    // MARK: What is not stored

    /// Counts what asks nothing of us, and the words of organisations that are not mapped for which there was no room.
    /// A request that is refused comes again, and is counted then.
    private func countIgnored(and told: RequestOutcome) {
        self.taken.source.budget.countIgnored(told.notKept)
        self.countNotKept("unmapped", times: told.notKept)
        for delivery in self.taken.deliveries {
            guard let (reason, times) = delivery.ignored else { continue }
            self.writers.tally.count(
                .ignored, reason, of: self.taken.source.id, at: self.taken.request.receivedAt, times: times
            ) { self.form }
            self.count(.ignored, times: times)
        }
    }

    /// Counts the notes for the source's tenant. A writer has counted those that it has stored.
    private func count(_ notes: [QuarantineNote], _ kept: [Receipt.Item]) {
        for (note, item) in zip(notes, kept) where !note.isStored { self.count(item.status) }
    }

    private func count(_ outcome: EventOutcome, times: Int = 1) {
        guard let tenant = self.taken.source.owner else { return }
        self.writers.counts.add(.received(outcome), of: tenant, times: times)
    }

    /// Counts the notes for which quarantine had no room.
    private func countNotKept(_ notes: [QuarantineNote], _ kept: [Receipt.Item]) {
        for (note, item) in zip(notes, kept) where item.status == .ignored { self.countNotKept(note.reason.text) }
    }

    private func countNotKept(_ reason: String, times: Int = 1) {
        guard times > 0 else { return }
        self.writers.tally.count(
            .notKept, reason, of: self.taken.source.id, at: self.taken.request.receivedAt, times: times
        ) { self.form }
    }

    private var form: RequestForm { RequestForm(headers: self.lengths(), body: self.taken.request.body.count) }

    /// The sender comes again, and pays then.
    private func refuse(_ error: IntakeError) {
        self.taken.source.budget.giveBack(self.taken.charge)
        self.taken.source.budget.countRefused()
        self.answer(.failure(error))
    }
}

extension IntakeError {
    /// Whether it is about what the delivery holds, so that to send it again is of no use.
    var isOfContent: Bool {
        switch self {
        case .unusable, .deliveryReused: true
        default: false
        }
    }
}
