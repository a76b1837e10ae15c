// SPDX-License-Identifier: Apache-2.0
// Slow senders: many connections that send nearly all of a request at once, and then a byte a second.

import Glibc

struct SlowSenders: Attacker {
    /// What each connection sends at once. The bytes behind it are `x`.
    let start: [UInt8]
    var connections = 1_000

    private struct Connection {
        var socket: Int32
        var sent = 0
    }

    func run(port: Int, seconds: Double) throws -> [String: Int] {
        var open: [Connection] = []
        defer { for connection in open { close(connection.socket) } }
        for _ in 0..<self.connections { open.append(Connection(socket: try Wire.connect(port, isWaiting: false))) }
        let bytes = self.start + Array(repeating: UInt8(ascii: "x"), count: Int(seconds) + 1)
        let begin = Wire.now()
        var answers: [String: Int] = [:]
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let passed = Double(Wire.now() - begin) / 1e9, passed < seconds {
            let due = self.start.count + Int(passed)
            for place in open.indices where open[place].socket >= 0 {
                Self.send(bytes[open[place].sent..<due], on: &open[place])
                if let answer = Self.answer(on: open[place].socket, &buffer) {
                    answers[answer, default: 0] += 1
                    close(open[place].socket)
                    open[place].socket = -1
                }
            }
            usleep(50_000)
        }
        answers["open at the end"] = open.count(where: { $0.socket >= 0 })
        return answers
    }

    /// Sends as much as the socket takes now.
    private static func send(_ bytes: ArraySlice<UInt8>, on connection: inout Connection) {
        guard !bytes.isEmpty else { return }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { Glibc.send(connection.socket, $0.baseAddress, $0.count, flags) }
        connection.sent += max(0, count)
    }

    /// Returns the status that the service has answered, or `closed`; nil while it says nothing.
    private static func answer(on socket: Int32, _ buffer: inout [UInt8]) -> String? {
        let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { return Wire.status(Array(buffer[..<count])).map { "\($0)" } ?? "unreadable" }
        return count == 0 || errno != EAGAIN ? "closed" : nil
    }
}
