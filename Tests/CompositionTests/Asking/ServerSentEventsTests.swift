// SPDX-License-Identifier: Apache-2.0
// Events are read out of a stream, however its bytes are cut.

import Testing

@testable import Composition

@Suite struct ServerSentEventsTests {
    private static let stream = """
        : dialtone

        id: 7
        event: job.claimed
        data: {"a":1}

        : beat

        id: 8
        data: one
        data: two

        data: ä\r

        """

    private static let events: [ServerSentEvents.Event] = [
        .init(id: "7", name: "job.claimed", data: "{\"a\":1}"), .init(id: "8", name: nil, data: "one\ntwo"),
        .init(id: "8", name: nil, data: "ä"),
    ]

    @Test(arguments: [1, 2, 3, 7, 1000]) func `events come whole from pieces of any size`(size: Int) {
        let bytes = Array((Self.stream + "\r\n").utf8)
        var reader = ServerSentEvents()
        var found: [ServerSentEvents.Event] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += reader.take(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(found == Self.events)
    }

    @Test func `an event without its empty line is not there yet`() {
        var reader = ServerSentEvents()
        #expect(reader.take(Array("id: 1\ndata: x\n".utf8)).isEmpty)
        #expect(reader.take(Array("\n".utf8)) == [.init(id: "1", name: nil, data: "x")])
    }
}
