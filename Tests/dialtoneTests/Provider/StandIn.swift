// SPDX-License-Identifier: Apache-2.0
// Stands for the provider, or for a proxy before it, and does with each request what a test says.

import Foundation
import Glibc
import Synchronization
import Testing

/// Takes connections on 127.0.0.1, one request each, until a test calls `stop`.
final class StandIn: Sendable {
    enum Act: Sendable {
        /// Says these bytes and closes.
        case say(String)
        /// Keeps the connection open and says nothing.
        case silence
        /// Opens a tunnel to this port of 127.0.0.1, as a proxy does after a CONNECT.
        case tunnel(Int)

        /// A whole answer with a JSON body.
        static func reply(_ status: Int, _ body: String = "") -> Act {
            .say("HTTP/1.1 \(status) X\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        /// An error as the provider words it.
        static func error(_ status: Int, _ code: String, _ title: String) -> Act {
            .reply(status, "{\"errors\":[{\"code\":\"\(code)\",\"title\":\"\(title)\"}]}")
        }
    }

    let port: Int
    private let listener: Int32
    private let act: Mutex<@Sendable (String) -> Act>
    private let heads = Mutex<[String]>([])
    private let open = Mutex<[Int32]>([])
    private let isStopped = Mutex(false)

    /// `act` gets the head of a request, without its empty line.
    init(_ act: @escaping @Sendable (String) -> Act) throws {
        self.act = Mutex(act)
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        try #require(isBound, "no port for the stand-in")
        Thread { self.acceptAll() }.start()
    }

    /// The heads of all requests so far.
    var seen: [String] { self.heads.withLock { $0 } }

    /// From now on it does something else.
    func behaves(_ act: @escaping @Sendable (String) -> Act) { self.act.withLock { $0 = act } }

    /// Ends it with all its connections. A second call does nothing.
    func stop() {
        let wasStopped = self.isStopped.withLock { isStopped in
            defer { isStopped = true }
            return isStopped
        }
        guard !wasStopped else { return }
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
        self.open.withLock { sockets in
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    // MARK: Threads

    private func acceptAll() {
        while true {
            let socket = accept(self.listener, nil, nil)
            guard socket >= 0 else { return }
            self.open.withLock { $0.append(socket) }
            Thread { self.talk(socket) }.start()
        }
    }

    private func talk(_ socket: Int32) {
        defer {
            self.open.withLock { sockets in
                sockets.removeAll { $0 == socket }
                close(socket)
            }
        }
        guard let head = Self.head(from: socket) else { return }
        self.heads.withLock { $0.append(head) }
        let act = self.act.withLock { $0 }
        switch act(head) {
        case .say(let text): _ = Self.send(Array(text.utf8), to: socket)
        // The other side, or `stop`, ends it.
        case .silence: _ = Self.receive(from: socket)
        case .tunnel(let port):
            guard let far = Self.connect(to: port) else { return }
            defer { close(far) }
            _ = Self.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8), to: socket)
            Self.relay(socket, far)
        }
    }

    /// Passes bytes on in both directions until one side closes.
    private static func relay(_ near: Int32, _ far: Int32) {
        while true {
            var watched = [near, far].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, 2, -1) > 0 else { return }
            for (from, to) in [(0, far), (1, near)] where watched[from].revents != 0 {
                guard let bytes = Self.receive(from: watched[from].fd), Self.send(bytes, to: to) else { return }
            }
        }
    }

    // MARK: Bytes

    /// Reads a request. Its body is read and forgotten. Nil when the other side closes first.
    private static func head(from socket: Int32) -> String? {
        var text = ""
        while true {
            guard let bytes = Self.receive(from: socket) else { return nil }
            text += String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let head = String(text[..<end.lowerBound])
            let length = head.lowercased().firstMatch(of: /content-length: *(\d+)/).flatMap { Int($0.output.1) }
            if text[end.upperBound...].utf8.count >= length ?? 0 { return head }
        }
    }

    /// Nil at the end of the stream.
    private static func receive(from socket: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Returns whether all was sent. The other side may have closed, which must not raise SIGPIPE here.
    private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.send(socket, Array(rest), rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func connect(to port: Int) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return socket }
        close(socket)
        return nil
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }
}
