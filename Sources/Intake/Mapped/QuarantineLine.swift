// SPDX-License-Identifier: Apache-2.0
// The requests that wait for quarantine: the sources take turns, so that none waits behind all of another.

import Model

struct QuarantineLine: Sendable {
    struct Waiting: Sendable {
        let request: QuarantinedRequest
        let completion: Quarantine.Completion

        var bytes: Int { self.request.request.body.count }
    }

    private struct OfSource: Sendable {
        var waiting: [Waiting] = []
        var bytes = 0
    }

    /// Requests that wait at most, those of one source, and the bytes of all their bodies. One source has a quarter of
    /// the bytes at most.
    static let maximumWaiting = 256
    static let maximumOfSource = 64
    static let maximumBytes = 16 << 20
    static let maximumBytesOfSource = QuarantineLine.maximumBytes / 4

    private var sources: [SourceID: OfSource] = [:]
    /// The sources that have something waiting, each once, in the order of their turns.
    private var turns: [SourceID] = []
    private var count = 0
    private var bytes = 0
    private var isClosed = false

    /// Returns why a request may not wait. Nil: it waits.
    mutating func add(_ waiting: Waiting) -> IntakeError? {
        guard !self.isClosed else { return .unavailable }
        let source = waiting.request.source.id
        var ofSource = self.sources[source] ?? OfSource()
        guard self.count < Self.maximumWaiting, ofSource.waiting.count < Self.maximumOfSource,
            self.bytes + waiting.bytes <= Self.maximumBytes,
            ofSource.bytes + waiting.bytes <= Self.maximumBytesOfSource
        else { return .busy(retryAfter: 1) }
        if ofSource.waiting.isEmpty { self.turns.append(source) }
        ofSource.waiting.append(waiting)
        ofSource.bytes += waiting.bytes
        self.sources[source] = ofSource
        self.count += 1
        self.bytes += waiting.bytes
        return nil
    }

    /// Takes the oldest request of the source whose turn it is. That source comes next after all others.
    mutating func next() -> Waiting? {
        guard let source = self.turns.first, var ofSource = self.sources[source] else { return nil }
        self.turns.removeFirst()
        let next = ofSource.waiting.removeFirst()
        ofSource.bytes -= next.bytes
        self.count -= 1
        self.bytes -= next.bytes
        if ofSource.waiting.isEmpty {
            self.sources[source] = nil
        } else {
            self.sources[source] = ofSource
            self.turns.append(source)
        }
        return next
    }

    /// Takes everything out. Nothing may wait from now on.
    mutating func close() -> [Waiting] {
        self.isClosed = true
        var left: [Waiting] = []
        while let next = self.next() { left.append(next) }
        return left
    }
}
