// SPDX-License-Identifier: Apache-2.0
// A loader's sockets: connections to this machine, and answers as bytes.

import Foundation
import Glibc

enum Wire {
    /// Nanoseconds of a clock that only grows.
    static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

    /// Connects to a port of this machine. With `isWaiting` false the socket never blocks once it is connected.
    static func connect(_ port: Int, isWaiting: Bool = true) throws -> Int32 {
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
        guard status == 0 else {
            close(socket)
            throw BenchError.refused("connect to port \(port)")
        }
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        if !isWaiting { _ = fcntl(socket, F_SETFL, O_NONBLOCK) }
        return socket
    }

    /// Raises the limit of open files as far as it goes. Each connection is one.
    static func allowManyConnections() {
        var files = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return }
        files.rlim_cur = files.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    }

    // MARK: Answers

    /// Returns the status when the whole answer is there: its head, and as many bytes as its Content-Length says.
    static func status(_ answer: [UInt8]) -> Int? {
        guard let end = Self.end(of: "\r\n\r\n", in: answer),
            let length = Self.end(of: "ontent-length: ", in: answer) ?? Self.end(of: "ontent-Length: ", in: answer),
            answer.count >= end + Self.number(answer[length...])
        else { return nil }
        return Self.number(answer[9...])
    }

    /// Returns the place after the first `text`.
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
