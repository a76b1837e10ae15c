// SPDX-License-Identifier: Apache-2.0
// A server that takes no writes for a while: every process says so on its probes, and soon after it is ready again.

import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct ReadOnlySpellTests {
    /// A probe that asks one of the processes.
    private struct Probe {
        let url: String
        /// The public listener tells no reasons.
        let showsReasons: Bool
    }

    /// Alone on a machine it is about a second: an answer serves that long. The rest is for other tests.
    private static let soon: Duration = .seconds(5)

    @Test(arguments: [false, true])
    func `in a read-only spell no process is ready, and soon after it each one is`(endsSessions: Bool) async throws {
        try await ServerDesk.with { desk in
            let services = try ["api", "worker", "api,worker"].map {
                try RunningService.start(["--roles", $0], desk.environment)
            }
            defer { for service in services { service.process.terminate() } }
            let probes = try await Self.probes(of: services)
            let address = try #require(probes.first { !$0.showsReasons }?.url)
            let hook = try await desk.makeSource(at: address)
            try await Self.send("u-1", "202", to: hook, from: desk)
            for probe in probes { try await Wire.get("/readyz", at: probe.url, until: 200) }
            #expect(try await desk.run(["check"]).code == 0)

            try await desk.beginReadOnlySpell(endsSessions: endsSessions)
            for probe in probes {
                let answer = try await Wire.get("/readyz", at: probe.url, until: 503)
                guard probe.showsReasons else { continue }
                // The worker's housekeeping may have met the end of its session before anybody asked the database.
                let isNamed = ["cannot be reached", "takes no writes", "the database went away"]
                    .contains { answer.contains($0) }
                #expect(isNamed, "\(answer)")
                #expect(try await Wire.get("/healthz", at: probe.url).hasPrefix("HTTP/1.1 200 "))
            }
            try await Self.send("u-2", "503", to: hook, from: desk)
            try await Self.checkFails(desk, ready: address)

            try await desk.endReadOnlySpell()
            let end = ContinuousClock.now
            for probe in probes { try await Wire.get("/readyz", at: probe.url, until: 200) }
            #expect(ContinuousClock.now - end < Self.soon)
            try await Self.send("u-2", "202", to: hook, from: desk)
            try await desk.until(
                "select 1 from dialtone.users having count(*) filter (where status = 'ready') = 2")
            #expect(try await desk.run(["check"]).code == 0)
        }
    }

    /// Returns both listeners of each process.
    private static func probes(of services: [RunningService]) async throws -> [Probe] {
        var probes: [Probe] = []
        for service in services {
            let line = try await service.ready()
            probes.append(Probe(url: "http://\(try #require(line.status))", showsReasons: true))
            if let listen = line.listen { probes.append(Probe(url: listen, showsReasons: false)) }
        }
        return probes
    }

    private static func send(_ user: String, _ status: String, to hook: String, from desk: ServerDesk) async throws {
        let sent = try await desk.run(
            ["send", "--url", hook, "--tenant", "acme", "--user", user, "--id", "msg-\(user)"])
        #expect(sent.output.hasPrefix("\(status) "), "\(sent)")
    }

    /// `any` lets a read-only session begin, so the check must ask the server itself.
    private static func checkFails(_ desk: ServerDesk, ready address: String) async throws {
        let strict = try await desk.run(["check"])
        #expect(strict.code == 1 && strict.output.contains("FAILED  database: "), "\(strict)")
        #expect(strict.output.contains("session is read-only"), "\(strict)")
        var lax = desk
        lax.environment["DATABASE_URL"] = desk.server.url() + "&target_session_attrs=any"
        let asked = try await lax.run(["check"])
        #expect(asked.code == 1 && asked.output.contains("the server takes no writes: "), "\(asked)")
        let service = try await desk.run(["check", "--ready", address])
        #expect(service.code == 1 && service.output.contains("503"), "\(service)")
    }
}
