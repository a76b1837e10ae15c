// SPDX-License-Identifier: Apache-2.0
// The clients that people have, at the program as it is run: curl with its switches, and bytes as other clients send
// them. `make test-release` runs this on the release build.

import Foundation
import TestSupport
import Testing

@Suite struct ClientsTests {
    @Test func `every client is answered, and its connection stays or ends as it asked`() async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve", "--roles", "api"], desk.environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            let hook = try await desk.makeSource(at: address)
            try await Self.curlIsAnswered(at: address, hook)
            try Self.aClientThatUpgradesIsAnswered(at: address)
            try await Self.aClientThatClosesIsAnswered(at: address, hook)
            try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", "last")
        }
    }

    private static func curlIsAnswered(at address: String, _ hook: String) async throws {
        let health = "\(address)/healthz"
        let twice = try await Self.curl(["--http2", "--write-out", "%{num_connects} %{http_code}\\n", health, health])
        #expect(twice.contains("1 200\n") && twice.contains("0 200\n"), "\(twice)")
        for options in [["--http2"], ["--http1.0"], ["--http1.1", "--header", "Expect: 100-continue"]] {
            let posted = try await Self.curl(options + ["--verbose", "--data-raw", "{}", hook])
            #expect(posted.contains("\"code\":\"bad_proof\""), "\(options): \(posted)")
            #expect(
                posted.contains("100 Continue") == options.contains("Expect: 100-continue"), "\(options): \(posted)")
        }
    }

    /// As the JDK's client asks for HTTP/2 on a connection without TLS.
    private static func aClientThatUpgradesIsAnswered(at address: String) throws {
        let wire = try Wire(to: address)
        defer { wire.hangUp() }
        for _ in 0..<2 {
            let answer = wire.exchange(
                """
                GET /healthz HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: localhost\r\n\
                HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n\
                User-Agent: Java-http-client/17.0.15\r\n\r\n
                """)
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        }
    }

    /// As PHP's streams send: HTTP/1.0 and `Connection: close`.
    private static func aClientThatClosesIsAnswered(at address: String, _ hook: String) async throws {
        let wire = try Wire(to: address)
        let answer = wire.exchange(
            """
            POST \(hook.dropFirst(address.count)) HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\
            Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}
            """)
        #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(answer)")
        let rest = await wire.awaitAnswer()
        #expect(rest.isEmpty, "the service closes")
    }

    /// Runs curl to its end, and returns what it has printed.
    private static func curl(_ arguments: [String]) async throws -> String {
        let options = ["--silent", "--noproxy", "*", "--max-time", "30", "--expect100-timeout", "20"]
        let (code, text) = try await Program.end(of: Command("/usr/bin/curl", options + arguments))
        #expect(code == 0, "\(text)")
        return text
    }
}
