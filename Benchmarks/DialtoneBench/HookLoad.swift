// SPDX-License-Identifier: Apache-2.0
// The loader: signed requests made beforehand, sent over a fixed number of connections, each timed to its answer.

import CLibpq
import Crypto
import Foundation
import Glibc
import Intake

/// Requests as bytes, each with a user and a delivery of its own.
struct SignedRequests {
    let requests: [[UInt8]]

    /// `count` sign-ups with a body of about 1 KB, numbered from `first`.
    init(_ count: Int, first: Int, path: String, secret: String) throws {
        let key = try StandardWebhooksProof.key(from: secret)
        let stamp = Int64(Date().timeIntervalSince1970)
        let time = Date().formatted(.iso8601)
        let filling = String(repeating: "lorem ipsum dolor sit amet ", count: 31)
        self.requests = (first..<first + count).map { number in
            let body = Array(
                """
                {"type":"user.created","timestamp":"\(time)","data":{"user_id":"user-\(number)","tenant_id":"acme",\
                "email":"user-\(number)@example.com","attributes":{"plan":"pro","note":"\(filling)"}}}
                """.utf8)
            let id = "msg_\(number)"
            let signature = StandardWebhooksProof.sign(id: id, timestamp: stamp, body: body, key: key)
            let head = """
                POST \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nwebhook-id: \(id)\r\n\
                webhook-timestamp: \(stamp)\r\nwebhook-signature: \(signature)\r\ncontent-length: \(body.count)\r\n\r\n
                """
            return Array(head.utf8) + body
        }
    }
}

/// One run of the loader, on the thread that calls it: epoll(7) over all connections, one request under way on each.
struct HookLoad {
    var accepted = 0
    var others: [Int: Int] = [:]
    var seconds = 0.0
    /// Milliseconds from the first byte sent to the whole answer read, one per accepted request.
    var latencies: [Double] = []

    private struct Connection {
        var socket: Int32
        var sentAt: UInt64 = 0
        var answer: [UInt8] = []
    }

    init(_ requests: [[UInt8]], port: Int, connections: Int, seconds: Double) throws {
        var open = try (0..<connections).map { _ in Connection(socket: try Self.connect(port)) }
        let epoll = epoll_create1(0)
        defer {
            close(epoll)
            for connection in open { close(connection.socket) }
        }
        for place in open.indices {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(place)))
            epoll_ctl(epoll, EPOLL_CTL_ADD, open[place].socket, &event)
        }
        var next = 0
        let start = Self.now()
        let end = start + UInt64(seconds * 1e9)
        for place in open.indices { Self.send(requests, &next, on: &open[place]) }
        var events = [epoll_event](repeating: epoll_event(), count: connections)
        var busy = min(connections, next)
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var last = start
        while busy > 0 {
            let ready = epoll_wait(epoll, &events, Int32(connections), 10_000)
            guard ready > 0 else { throw BenchError.late("an answer") }
            for place in events[..<Int(ready)].map({ Int($0.data.u64) }) {
                let count = recv(open[place].socket, &buffer, buffer.count, 0)
                guard count > 0 else { throw BenchError.refused("a connection was closed") }
                open[place].answer.append(contentsOf: buffer[..<count])
                guard let status = Self.status(open[place].answer) else { continue }
                last = Self.now()
                if status == 202 {
                    self.accepted += 1
                    self.latencies.append(Double(last - open[place].sentAt) / 1e6)
                } else {
                    self.others[status, default: 0] += 1
                }
                open[place].answer.removeAll(keepingCapacity: true)
                busy -= 1
                if last < end, next < requests.count {
                    Self.send(requests, &next, on: &open[place])
                    busy += 1
                }
            }
        }
        self.seconds = Double(last - start) / 1e9
    }

    private static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

    private static func connect(_ port: Int) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw BenchError.refused("connect to port \(port)") }
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        return socket
    }

    private static func send(_ requests: [[UInt8]], _ next: inout Int, on connection: inout Connection) {
        guard next < requests.count else { return }
        connection.sentAt = Self.now()
        // A request is far smaller than the socket's buffer, so it goes whole.
        _ = requests[next].withUnsafeBytes { Glibc.send(connection.socket, $0.baseAddress, $0.count, 0) }
        next += 1
    }

    /// The status once the answer is there whole: its head, and as many bytes as its Content-Length says.
    private static func status(_ answer: [UInt8]) -> Int? {
        guard let end = Self.end(of: "\r\n\r\n", in: answer),
            let length = Self.end(of: "ontent-length: ", in: answer) ?? Self.end(of: "ontent-Length: ", in: answer),
            answer.count >= end + Self.number(answer[length...])
        else { return nil }
        return Self.number(answer[9...])
    }

    /// The place after the first `text`.
    private static func end(of text: StaticString, in answer: [UInt8]) -> Int? {
        let length = text.utf8CodeUnitCount
        return answer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.count >= length else { return nil }
            for place in 0...bytes.count - length where memcmp(start + place, text.utf8Start, length) == 0 {
                return place + length
            }
            return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        var number = 0
        for byte in digits {
            guard (48...57).contains(byte) else { break }
            number = number * 10 + Int(byte - 48)
        }
        return number
    }
}
