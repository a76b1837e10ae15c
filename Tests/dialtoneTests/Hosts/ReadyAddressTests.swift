// SPDX-License-Identifier: Apache-2.0
// The ready line names addresses that a script can use at once, in whatever form the settings were written.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct ReadyAddressTests {
    @Test(arguments: [
        (":0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"), ("localhost:0", "localhost"), ("[::1]:0", "[::1]"),
        (" \"127.0.0.1:0\"\r", "127.0.0.1"), ("'[::1]:0'\r\n", "[::1]"),
    ])
    func `the ready line's addresses can be asked as they are`(text: String, host: String) async throws {
        guard !host.contains(":") || Self.hasIPv6 else { return }
        try await Desk.withSimulator { desk in
            desk.environment["DIALTONE_LISTEN"] = text
            desk.environment["DIALTONE_STATUS_LISTEN"] = text
            let (service, ready) = try await Desk.start(["serve", "--roles", "api"], desk.environment)
            defer { service.terminate() }
            let (listen, status) = (try #require(ready["listen"]), try #require(ready["status"]))
            #expect(listen.hasPrefix("http://\(host):") && !listen.hasSuffix(":0"), "\(listen)")
            #expect(status.hasPrefix("\(host):") && !status.hasSuffix(":0"), "\(status)")
            for address in [listen, status] {
                let asked = try await desk.run(["check", "--ready", address])
                #expect(asked.code == 0, "\(address): \(asked)")
            }
        }
    }

    @Test(arguments: ["DIALTONE_LISTEN", "DIALTONE_STATUS_LISTEN"])
    func `an address that has no meaning ends the start, and is named`(setting: String) async throws {
        for text in ["::1", "8080", "host:99999", "http://127.0.0.1:8080"] {
            let ended = try await Program.run(
                ["serve"], ["DATABASE_URL": "postgresql://127.0.0.1:1/x", setting: text])
            #expect(ended.code == 2 && ended.errors.contains("\(setting) must be host:port"), "\(ended)")
        }
    }

    /// Whether this machine has the address ::1.
    private static var hasIPv6: Bool {
        let probe = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        guard inet_pton(AF_INET6, "::1", &address.sin6_addr) == 1 else { return false }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }
}
