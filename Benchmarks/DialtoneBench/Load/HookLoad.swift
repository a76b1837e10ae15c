// SPDX-License-Identifier: Apache-2.0
// The loader: signed requests sent over a fixed number of connections, each timed to its answer.

import CLibpq
import Glibc

/// One run of the loader, on the thread that calls it. It waits with epoll(7) for all connections. Each connection has
/// one request under way.
struct HookLoad {
    var accepted = 0
    /// How often each status other than 202 came.
    var others: [Int: Int] = [:]
    /// From the first request to the last answer.
    var seconds = 0.0
    /// Milliseconds from the first byte sent to the whole answer read, one per accepted request.
    var latencies: [Double] = []

    private struct Connection {
        var socket: Int32
        var sentAt: UInt64 = 0
        var answer: [UInt8] = []
    }

    /// Sends requests until `seconds` are over or all are sent, and waits for the last answers.
    init(_ requests: [[UInt8]], port: Int, connections: Int, seconds: Double) throws {
        var open = try (0..<connections).map { _ in Connection(socket: try Wire.connect(port)) }
        let epoll = epoll_create1(0)
        defer {
            close(epoll)
            for connection in open { close(connection.socket) }
        }
        for place in open.indices {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(place)))
            epoll_ctl(epoll, EPOLL_CTL_ADD, open[place].socket, &event)
        }
        try self.drive(requests, over: &open, epoll, for: seconds)
    }

    /// Keeps one request under way on every connection, and counts the answers.
    private mutating func drive(
        _ requests: [[UInt8]], over open: inout [Connection], _ epoll: Int32, for seconds: Double
    ) throws {
        var next = 0
        let start = Wire.now()
        let end = start + UInt64(seconds * 1e9)
        for place in open.indices { Self.send(requests, &next, on: &open[place]) }
        var events = [epoll_event](repeating: epoll_event(), count: open.count)
        var busy = min(open.count, next)
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var last = start
        while busy > 0 {
            let ready = epoll_wait(epoll, &events, Int32(open.count), 10_000)
            guard ready > 0 else { throw BenchError.late("an answer") }
            for place in events[..<Int(ready)].map({ Int($0.data.u64) }) {
                let count = recv(open[place].socket, &buffer, buffer.count, 0)
                guard count > 0 else { throw BenchError.refused("a connection was closed") }
                open[place].answer.append(contentsOf: buffer[..<count])
                guard let status = Wire.status(open[place].answer) else { continue }
                last = Wire.now()
                self.countAnswer(status, after: last - open[place].sentAt)
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

    private mutating func countAnswer(_ status: Int, after nanoseconds: UInt64) {
        if status == 202 {
            self.accepted += 1
            self.latencies.append(Double(nanoseconds) / 1e6)
        } else {
            self.others[status, default: 0] += 1
        }
    }

    private static func send(_ requests: [[UInt8]], _ next: inout Int, on connection: inout Connection) {
        guard next < requests.count else { return }
        connection.sentAt = Wire.now()
        // A request is far smaller than the socket's buffer, so it goes whole.
        _ = requests[next].withUnsafeBytes { Glibc.send(connection.socket, $0.baseAddress, $0.count, 0) }
        next += 1
    }
}

extension HookLoad {
    /// Returns the status of one GET on a connection of its own.
    static func status(of path: String, port: Int) throws -> Int {
        let load = try HookLoad(
            [Array("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".utf8)], port: port, connections: 1, seconds: 1)
        return load.others.first?.key ?? (load.accepted > 0 ? 202 : 0)
    }
}
