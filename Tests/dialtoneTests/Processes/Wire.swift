// SPDX-License-Identifier: Apache-2.0
// Says one HTTP request to a service as bytes, and reads what comes back.

import Dispatch
import Foundation
import Glibc
import Testing

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
        // A service that never answers fails its test and does not hold it.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(self.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends a request that ends its connection.
    func send(_ line: String, _ fields: [String] = [], _ body: String = "") {
        let head = ["\(line) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: \(body.utf8.count)"]
        let bytes = Array("\((head + fields).joined(separator: "\r\n"))\r\n\r\n\(body)".utf8)
        let sent = write(self.socket, bytes, bytes.count)
        #expect(sent == bytes.count)
    }

    /// Sends a request as it is written here, and reads its answer. The connection stays open.
    func exchange(_ request: String) -> String {
        let bytes = Array(request.utf8)
        guard write(self.socket, bytes, bytes.count) == bytes.count else { return "" }
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(self.socket, &buffer, buffer.count)
            guard count > 0 else { return answer }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = answer.range(of: "\r\n\r\n") else { continue }
            let head = answer[..<end.lowerBound].lowercased()
            let length = head.range(of: "content-length: ").flatMap { found in
                Int(head[found.upperBound...].prefix { $0.isNumber })
            }
            if answer[end.upperBound...].utf8.count >= length ?? 0 { return answer }
        }
    }

    /// Closes this end.
    func hangUp() { close(self.socket) }

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

extension Wire {
    /// Asks for a path and returns the whole answer. `fields`: more lines of the head.
    static func get(_ path: String, at url: String, _ fields: [String] = []) async throws -> String {
        let wire = try Wire(to: url)
        wire.send("GET \(path)", fields)
        return await wire.awaitAnswer()
    }

    /// Reads on a thread of its own, so that the other tests have theirs.
    func awaitAnswer() async -> String {
        await withCheckedContinuation { answered in
            DispatchQueue.global().async { answered.resume(returning: self.answer()) }
        }
    }

    /// Asks until the answer has this status and these words, for 60 seconds. Returns the answer.
    @discardableResult
    static func get(_ path: String, at url: String, until status: Int, with words: String = "") async throws -> String {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let answer = try await Self.get(path, at: url)
            if answer.hasPrefix("HTTP/1.1 \(status) "), words.isEmpty || answer.contains(words) { return answer }
            try #require(ContinuousClock.now < deadline, "\(path) at \(url) is not \(status) \(words): \(answer)")
            // The pause between two looks. The deadline decides, not the pause.
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
