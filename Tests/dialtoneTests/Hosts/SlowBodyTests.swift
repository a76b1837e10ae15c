// SPDX-License-Identifier: Apache-2.0
// A thousand senders that never end their bodies: the process stays small, and others are answered.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct SlowBodyTests {
    @Test(.timeLimit(.minutes(10)))
    func `a thousand bodies that trickle leave memory and answers to others`() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve", "--roles", "api"], desk.environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            desk.environment["DIALTONE_PUBLIC_URL"] = address
            let source = try await desk.json("source", "create", "app", "--tenant", "acme")
            let hook = try #require(source["url"] as? String)
            desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
            let send = ["send", "--url", hook, "--tenant", "acme", "--user"]
            #expect(try await desk.run(send + ["first"]).code == 0)
            let before = try Self.residentMiB(service)

            let senders = try (0..<1000).map { _ in
                try SlowSender(to: address, path: String(hook.dropFirst(address.count)))
            }
            defer { for sender in senders { sender.end() } }
            #expect(try await desk.run(send + ["among"]).code == 0, "others are answered")
            let during = try Self.residentMiB(service)
            #expect(during - before <= 72, "\(before) MiB became \(during)")
            let refused = senders.count { $0.heard().hasPrefix("HTTP/1.1 503") }
            #expect(refused > 0, "all bodies were kept")
            for sender in senders { sender.trickle() }
            #expect(try await desk.run(send + ["last"]).code == 0, "others are answered")
            let after = try Self.residentMiB(service)
            #expect(after - before <= 72, "\(before) MiB became \(after)")
        }
    }

    /// Resident memory now (proc(5)).
    private static func residentMiB(_ process: Child) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) / 1024
    }
}

/// A sender that has sent 250,000 bytes of 262,144, and then sends a byte now and then.
private struct SlowSender {
    private let socket: Int32

    init(to url: String, path: String) throws {
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
        self.send("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 262144\r\n\r\n")
        self.send(String(repeating: "x", count: 250_000))
    }

    /// Sends until all is sent or the service has closed.
    private func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(self.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    func trickle() { self.send("x") }

    /// What has come until now.
    func heard() -> String {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = recv(self.socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }

    func end() { close(self.socket) }
}
