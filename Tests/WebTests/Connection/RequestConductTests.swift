// SPDX-License-Identifier: Apache-2.0
// What a connection does with each kind of head, byte by byte and without a clock: it goes on, or it ends and says so.

import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct RequestConductTests {
    private static let upgrades = [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n", "Upgrade: any/1\r\nConnection: keep-alive, UPGRADE\r\n",
    ]

    @Test(arguments: Self.upgrades, [true, false])
    func `a wish for another protocol is ignored and the next request is answered`(wish: String, atOnce: Bool) throws {
        let bytes = """
            GET /1 HTTP/1.1\r\n\(wish)\r\nPOST /2 HTTP/1.1\r\n\(wish)Content-Length: 3\r\n\r\nabc\
            GET /3 HTTP/1.1\r\n\r\n
            """
        try ConductBed.with { bed in
            for piece in atOnce ? [bytes] : bytes.unicodeScalars.map({ String($0) }) { try bed.send(piece) }
            #expect(bed.route.paths == ["/1", "/2", "/3"])
            #expect(bed.route.bodyBytes == 3)
            let (statuses, closes) = try bed.answers()
            #expect(statuses == [200, 200, 200] && !closes)
        }
    }

    /// The service stops while a head is on its way.
    @Test func `a stop in the middle of a head writes nothing`() throws {
        try ConductBed.with { bed in
            try bed.send("GET / HTTP/1.1\r\nhos")
            bed.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            let written = try bed.written()
            #expect(written.isEmpty)
        }
    }

    @Test(arguments: [
        "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: h2c\r\n",
        "Proxy-Connection: upgrade\r\nUpgrade: x\r\n",
        "Connection: keep-alive\r\nProxy-Connection: upgrade\r\nUpgrade: x\r\n",
    ])
    func `a wish that the parser may read in another way ends the connection`(fields: String) throws {
        try ConductBed.with { bed in
            try bed.send("GET / HTTP/1.1\r\n\(fields)\r\n")
            let (statuses, closes) = try bed.answers()
            #expect(statuses == [200] && closes)
            try bed.send("GET / HTTP/1.1\r\n\r\n")
            #expect(bed.route.paths.count == 1)
            #expect(bed.isClosedSoon)
        }
    }

    @Test func `a CONNECT is refused, and no byte after it is heard`() throws {
        try ConductBed.with { bed in
            try bed.send("CONNECT host:443 HTTP/1.1\r\nHost: host\r\n\r\nGET / HTTP/1.1\r\n\r\n")
            let (statuses, closes) = try bed.answers()
            #expect(statuses == [501] && closes && bed.route.paths.isEmpty)
            try bed.send("GET / HTTP/1.1\r\n\r\n")
            #expect(bed.route.paths.isEmpty)
            #expect(bed.isClosedSoon)
        }
    }

    @Test func `a body that is held back is asked for once, when the route wants it`() throws {
        try ConductBed.with { bed in
            try bed.send("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try bed.written() == "")
            for _ in 0..<2 {
                bed.channel.pipeline.triggerUserOutboundEvent(RequestConduct.BodyEvent.isWanted, promise: nil)
            }
            #expect(try bed.written() == "HTTP/1.1 100 Continue\r\n\r\n")
            try bed.send("abc")
            let (statuses, closes) = try bed.answers()
            #expect(statuses == [200] && !closes)
        }
    }

    @Test(arguments: [
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na",
        "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
    ])
    func `nobody else hears 100`(head: String) throws {
        try ConductBed.with { bed in
            try bed.send(head)
            bed.channel.pipeline.triggerUserOutboundEvent(RequestConduct.BodyEvent.isWanted, promise: nil)
            let statuses = try bed.answers().statuses
            #expect(!statuses.contains(100))
        }
    }

    @Test func `an answer in the place of 100 ends the connection`() throws {
        try ConductBed.with(answersAtHead: true) { bed in
            try bed.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            let (statuses, closes) = try bed.answers()
            #expect(statuses == [200] && closes)
            #expect(bed.isClosedSoon)
        }
    }

    @Test(arguments: [
        ("Content-Length: 300000", true), ("Transfer-Encoding: chunked", true), ("Content-Length: 9", false),
    ])
    func `an early answer ends the connection unless little is left of the body`(field: String, closes: Bool) throws {
        try ConductBed.with(answersAtHead: true) { bed in
            try bed.send("POST / HTTP/1.1\r\n\(field)\r\n\r\n")
            let answer = try bed.answers()
            #expect(answer.statuses == [200] && answer.closes == closes)
            guard !closes else { return }
            try bed.send("123456789GET / HTTP/1.1\r\n\r\n")
            #expect(bed.route.paths.count == 2)
        }
    }

    @Test(arguments: [
        ("GET /\r\n", 400), ("GARBAGE\r\n\r\n", 400), ("\u{16}\u{3}\u{1}", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400), ("FOO / HTTP/1.1\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 8300))\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 101))\r\n", 431),
        ("GET / HTTP/1.1\r\n\(String(repeating: "X: \(String(repeating: "x", count: 1000))\r\n", count: 34))\r\n", 431),
    ])
    func `what is no request, or too large a head, is refused at once and the connection ends`(
        bytes: String, status: Int
    ) throws {
        try ConductBed.with { bed in
            try bed.send(bytes)
            let text = try bed.written()
            #expect(text.hasPrefix("HTTP/1.1 \(status) ") && text.contains("connection: close"), "\(text)")
            #expect(text.contains("application/problem+json") && text.contains("\"request_id\""))
            #expect(bed.route.paths.isEmpty)
            #expect(bed.isClosedSoon)
        }
    }

    @Test func `a head of 100 fields within the limits is taken`() throws {
        try ConductBed.with { bed in
            try bed.send("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 8000))\r\n")
            try bed.send("\(String(repeating: "X: y\r\n", count: 99))\r\n")
            #expect(try bed.answers().statuses == [200])
        }
    }

    @Test func `a body that breaks is told to its route, and the connection ends`() throws {
        try ConductBed.with { bed in
            try bed.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
            #expect(bed.route.errors == 1)
        }
    }

    @Test(arguments: [
        ("/v1/hooks/hk%5Fa", "/v1/hooks/hk_a"), ("/%76%31?a=%5F", "/v1?a=%5F"), ("/a%2Fb%255F", "/a%2Fb%255F"),
    ])
    func `escapes of unreserved characters in a path are decoded once`(target: String, path: String) throws {
        try ConductBed.with { bed in
            try bed.send("GET \(target) HTTP/1.1\r\n\r\n")
            #expect(bed.route.paths == [path])
        }
    }
}
