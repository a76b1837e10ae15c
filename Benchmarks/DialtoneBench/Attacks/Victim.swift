// SPDX-License-Identifier: Apache-2.0
// The victim: another tenant's sign-ups, one after the other, each timed to its answer.

import Foundation
import Glibc

struct Victim: Encodable {
    var sent = 0
    /// Milliseconds from the first byte sent to the whole answer read, of the accepted ones.
    var p50 = 0.0
    var p99 = 0.0
    /// The longest.
    var highest = 0.0
    /// Sign-ups that were answered 503.
    var unavailable = 0
    /// Sign-ups that had another answer than 202 or 503, or none within 30 seconds.
    var others = 0

    /// Seconds from the start of one sign-up to the next, unless the answer takes longer.
    private static let pace = 0.05

    /// Sends sign-ups for so many seconds, on the thread that calls.
    init(of ground: AttackGround, first: Int, port: Int, seconds: Double) throws {
        let signed = try SignedRequests(
            Int(seconds / Self.pace) + 1, first: first, path: ground.victimPath, secret: ground.victimSecret,
            tenant: AttackGround.victim)
        var latencies: [Double] = []
        var socket = try Self.connect(port)
        defer { close(socket) }
        let start = Wire.now()
        for request in signed.requests {
            let begin = Wire.now()
            guard Double(begin - start) / 1e9 < seconds else { break }
            self.sent += 1
            switch Self.status(of: request, on: socket) {
            case 202: latencies.append(Double(Wire.now() - begin) / 1e6)
            case 503: self.unavailable += 1
            case .some: self.others += 1
            case nil:
                self.others += 1
                close(socket)
                socket = try Self.connect(port)
            }
            let rest = Self.pace - Double(Wire.now() - begin) / 1e9
            if rest > 0 { usleep(UInt32(rest * 1e6)) }
        }
        self.p50 = latencies.percentile(0.5).rounded2
        self.p99 = latencies.percentile(0.99).rounded2
        self.highest = (latencies.max() ?? 0).rounded2
    }

    private static func connect(_ port: Int) throws -> Int32 {
        let socket = try Wire.connect(port)
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return socket
    }

    /// Returns the answer's status; nil when the connection was closed or nothing came in time.
    private static func status(of request: [UInt8], on socket: Int32) -> Int? {
        let flags = Int32(MSG_NOSIGNAL)
        let sent = request.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        guard sent == request.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            answer.append(contentsOf: buffer[..<count])
            if let status = Wire.status(answer) { return status }
        }
    }
}
