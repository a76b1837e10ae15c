// SPDX-License-Identifier: Apache-2.0
// A flood: many connections with one request under way on each, sent again as soon as the answer is there.

import CLibpq
import Glibc

struct Flood: Attacker {
    /// Sent in turns, again and again.
    let requests: [[UInt8]]
    let connections: Int
    /// Requests per second over all connections; nil for as many as are answered.
    var perSecond: Double?

    private struct Connection {
        var socket: Int32
        var answer: [UInt8] = []
    }

    private struct Run {
        var open: [Connection]
        /// Connections without a request under way.
        var free: [Int]
        var next = 0
        var answers: [String: Int] = [:]
    }

    func run(port: Int, seconds: Double) throws -> [String: Int] {
        let epoll = epoll_create1(0)
        var run = Run(open: [], free: Array(0..<self.connections))
        defer {
            close(epoll)
            for connection in run.open { close(connection.socket) }
        }
        for place in 0..<self.connections {
            run.open.append(Connection(socket: try Wire.connect(port)))
            Self.watch(run.open[place].socket, place, epoll)
        }
        let start = Wire.now()
        let end = start + UInt64(seconds * 1e9)
        var events = [epoll_event](repeating: epoll_event(), count: self.connections)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let now = Wire.now(), now < end {
            self.sendDue(after: Double(now - start) / 1e9, &run)
            let ready = epoll_wait(epoll, &events, Int32(self.connections), 2)
            for place in events[..<Int(max(0, ready))].map({ Int($0.data.u64) }) {
                try Self.read(place, &run, &buffer, epoll, port)
            }
        }
        return run.answers
    }

    /// Sends a request on each free connection, as far as the rate allows.
    private func sendDue(after seconds: Double, _ run: inout Run) {
        while let place = run.free.last {
            if let perSecond, Double(run.next) >= seconds * perSecond { return }
            run.free.removeLast()
            // A request is far smaller than the socket's buffer, so it goes whole.
            let request = self.requests[run.next % self.requests.count]
            _ = request.withUnsafeBytes {
                Glibc.send(run.open[place].socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            run.next += 1
        }
    }

    /// Reads what has come on a connection. One that was closed is opened again.
    private static func read(
        _ place: Int, _ run: inout Run, _ buffer: inout [UInt8], _ epoll: Int32, _ port: Int
    ) throws {
        let count = recv(run.open[place].socket, &buffer, buffer.count, 0)
        if count <= 0 {
            run.answers["closed", default: 0] += 1
            close(run.open[place].socket)
            run.open[place] = Connection(socket: try Wire.connect(port))
            Self.watch(run.open[place].socket, place, epoll)
        } else {
            run.open[place].answer.append(contentsOf: buffer[..<count])
            guard let status = Wire.status(run.open[place].answer) else { return }
            run.answers["\(status)", default: 0] += 1
            run.open[place].answer.removeAll(keepingCapacity: true)
        }
        run.free.append(place)
    }

    private static func watch(_ socket: Int32, _ place: Int, _ epoll: Int32) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(place)))
        epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event)
    }
}
