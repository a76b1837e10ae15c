// SPDX-License-Identifier: Apache-2.0
// A stop with work in hand: probes tell of it, who waits is answered, and a silent database cannot hold it up.

import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct StopTests {
    private static let tookTooLong = "the stop took too long"

    @Test func `the status listener says that a process is stopping while its last create comes back`() async throws {
        try await ServerDesk.with { desk in
            let (service, line) = try await Self.start([], desk)
            defer { service.process.terminate() }
            let status = "http://\(try #require(line.status))"
            try Self.delayCreates(by: 15_000, desk)
            try await desk.signUp("u-1", at: try #require(line.listen))
            try await desk.until("select 1 from dialtone.jobs where state = 'armed'")
            try await Wire.get("/readyz", at: status, until: 200)

            kill(service.process.processIdentifier, SIGTERM)
            try await Wire.get("/readyz", at: status, until: 503, with: "This process is stopping.")
            #expect(try await Wire.get("/healthz", at: status).hasPrefix("HTTP/1.1 200 "), "it is no reason to kill it")
            let held = try await desk.administer("select 1 from dialtone.jobs where state = 'armed'")
            #expect(held.count == 1 && service.process.isRunning, "the create is still held")
            #expect(await service.exitCode(within: .seconds(40)) == 0)
            #expect(await !service.log.rest().contains(Self.tookTooLong))
        }
    }

    /// The api alone runs, so the user stays pending. Another process can answer the app's next request.
    @Test func `an app that waits is told to ask again by a process that stops`() async throws {
        try await ServerDesk.with { desk in
            let (service, line) = try await Self.start(["--roles", "api"], desk)
            defer { service.process.terminate() }
            let address = try #require(line.listen)
            let key = try await desk.json("key", "create", "--tenant", "acme", "--scopes", "login-tokens:create")
            try await desk.signUp("u-1", at: address)
            let waiter = try Wire(to: address)
            waiter.send(
                "POST /v1/login-tokens",
                ["Authorization: Bearer \(key["key"] as? String ?? "")", "Prefer: wait=25"], "{\"user_id\":\"u-1\"}")
            // The look-up that the service makes when it has the whole request.
            try await desk.until(
                """
                select 1 from pg_stat_activity where query like '%owner.wanted%' and pid <> pg_backend_pid()
                """)

            async let answer = waiter.awaitAnswer()
            let end = await service.end(by: SIGTERM, within: .seconds(40))
            #expect(end.code == 0 && end.after < .seconds(20), "\(end)")
            let text = await answer
            #expect(text.hasPrefix("HTTP/1.1 202 "), "who waits is told to ask again: \(text)")
            #expect(await !service.log.rest().contains(Self.tookTooLong))
        }
    }

    /// The create's answer comes while nothing can be written.
    @Test func `a frozen database holds a stop for half a minute at most, and nothing is lost`() async throws {
        try await ServerDesk.with { desk in
            desk.environment["DIALTONE_HTTP_DEADLINE"] = "5s"
            desk.environment["DIALTONE_PROVIDER_MARGIN"] = "1s"
            let (service, line) = try await Self.start([], desk)
            defer { service.process.terminate() }
            try Self.delayCreates(by: 3000, desk)
            try await desk.signUp("u-1", at: try #require(line.listen))
            try await desk.until("select 1 from dialtone.jobs where state = 'armed'")

            try await desk.whileFrozen {
                let end = await service.end(by: SIGTERM, within: .seconds(60))
                #expect(end.code == 0 && end.after < .seconds(40), "\(end)")
            }
            #expect(await service.log.rest().contains(Self.tookTooLong))

            let (next, _) = try await Self.start([], desk)
            defer { next.process.terminate() }
            try await desk.until("select 1 from dialtone.users where status = 'ready'")
            let counts = try await Wire.get("/control/counts", at: try Self.provider(of: desk), Self.key)
            #expect(counts.contains("\"live\":1"), "\(counts)")
            #expect(await next.end(by: SIGTERM, within: .seconds(40)).code == 0)
        }
    }

    // MARK: The bed

    /// For the simulator's controls.
    private static let key = ["Authorization: Bearer test-key"]

    private static func start(
        _ arguments: [String], _ desk: ServerDesk
    ) async throws -> (RunningService, RunningService.ReadyLine) {
        let service = try RunningService.start(arguments, desk.environment)
        return (service, try await service.ready())
    }

    private static func provider(of desk: ServerDesk) throws -> String {
        try #require(desk.environment["TELNYX_BASE_URL"])
    }

    /// Each create waits before anything is done.
    private static func delayCreates(by milliseconds: Int, _ desk: ServerDesk) throws {
        let faults = try Wire(to: try Self.provider(of: desk))
        let rule = "{\"operation\":\"create\",\"kind\":\"delay\",\"milliseconds\":\(milliseconds)}"
        faults.send("PUT /control/faults", Self.key, "{\"rules\":[\(rule)]}")
        #expect(faults.answer().hasPrefix("HTTP/1.1 2"))
    }
}
