// SPDX-License-Identifier: Apache-2.0
// Hears what a process says on a pipe, and says one HTTP request to a service as bytes.

import Foundation
import Glibc
import Testing

/// The reading end of a process's standard error.
final class Listener {
    let pipe = Pipe()
    private let parts: AsyncStream<String>
    private(set) var heard = ""

    init() {
        let (parts, part) = AsyncStream<String>.makeStream()
        self.parts = parts
        self.pipe.fileHandleForReading.readabilityHandler = { handle in
            let bytes = handle.availableData
            if bytes.isEmpty { handle.readabilityHandler = nil }
            part.yield(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Waits until the process has said these words. Fails when the process ends first.
    func waits(for words: String) async throws {
        if self.heard.contains(words) { return }
        for await part in self.parts {
            self.heard += part
            if self.heard.contains(words) { return }
            try #require(!part.isEmpty, "the process ended and said: \(self.heard)")
        }
    }
}

/// A connection to a service on this machine, without an HTTP client's help.
struct Wire {
    private let socket: Int32

    /// Connects to the port of a URL such as `http://127.0.0.1:8080`.
    init(to url: String) throws {
        let port = try #require(URL(string: url)?.port)
        self.socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "nobody listens at \(url)")
    }

    /// Sends a request that ends its connection.
    func send(_ line: String, _ fields: [String] = [], _ body: String = "") {
        let head = ["\(line) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: \(body.utf8.count)"]
        let bytes = Array("\((head + fields).joined(separator: "\r\n"))\r\n\r\n\(body)".utf8)
        let sent = write(self.socket, bytes, bytes.count)
        #expect(sent == bytes.count)
    }

    /// Reads until the service closes, and closes this end.
    func answer() -> String {
        defer { close(self.socket) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(self.socket, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }
}
