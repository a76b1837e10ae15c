// SPDX-License-Identifier: Apache-2.0
// The line before quarantine: turns of the sources, and what one of them may hold.

import Model
import Testing

@testable import Intake

@Suite struct QuarantineLineTests {
    @Test func `a source with one request waits for one of another, and not for all`() throws {
        let (many, one) = (try MappedBed.source(), try MappedBed.source())
        var line = QuarantineLine()
        for id in ["a", "b", "c"] { #expect(line.add(MappedBed.waiting(of: many, bytes: 1, id: id)) == nil) }
        #expect(line.add(MappedBed.waiting(of: one, bytes: 1, id: "x")) == nil)
        var order: [String?] = []
        while let next = line.next() { order.append(next.request.request.provenID) }
        #expect(order == ["a", "x", "b", "c"])
    }

    @Test func `one source holds a quarter of the bytes, and another finds room beside it`() throws {
        let (large, other) = (try MappedBed.source(), try MappedBed.source())
        let body = QuarantineLine.maximumBytesOfSource / 4
        var line = QuarantineLine()
        for _ in 0..<4 { #expect(line.add(MappedBed.waiting(of: large, bytes: body)) == nil) }
        #expect(line.add(MappedBed.waiting(of: large, bytes: 1)) == .busy(retryAfter: 1))
        #expect(line.add(MappedBed.waiting(of: other, bytes: body)) == nil)
        _ = line.next()
        #expect(line.add(MappedBed.waiting(of: large, bytes: body)) == nil, "what was taken out makes room")
    }

    @Test func `all sources together hold no more than the line's bytes`() throws {
        var line = QuarantineLine()
        for _ in 0..<4 {
            let source = try MappedBed.source()
            #expect(line.add(MappedBed.waiting(of: source, bytes: QuarantineLine.maximumBytesOfSource)) == nil)
        }
        #expect(line.add(MappedBed.waiting(of: try MappedBed.source(), bytes: 1)) == .busy(retryAfter: 1))
    }

    @Test func `a closed line gives back what waits, and takes nothing more`() throws {
        let source = try MappedBed.source()
        var line = QuarantineLine()
        for _ in 0..<3 { _ = line.add(MappedBed.waiting(of: source, bytes: 1)) }
        #expect(line.close().count == 3)
        #expect(line.add(MappedBed.waiting(of: source, bytes: 1)) == .unavailable)
    }
}
