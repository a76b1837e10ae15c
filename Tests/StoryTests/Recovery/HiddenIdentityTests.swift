// SPDX-License-Identifier: Apache-2.0
// A server that hides which one it is: every check names the function, and the weaker mode works all the same.

import AsyncHTTPClient
import Foundation
import Logging
import Model
import NIOHTTP1
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Composition

@Suite struct HiddenIdentityTests {
    @Test func `a hidden function is named by check, the log and the worker's readiness, and the process starts`()
        async throws
    {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.host.script("revoke execute on function pg_control_system() from public")
            let status = "127.0.0.1:\(try FreePort.find())"
            let settings = try await place.settings("dialtone_app", ["DIALTONE_STATUS_LISTEN": status])
            let checked = try await Administration(settings).check(provider: false)
            #expect(checked.contains { $0.problem?.contains("pg_control_system()") == true }, "\(checked)")
            let lines = LogLines()
            let logger = Logger(label: "test") { _ in lines.handler }
            _ = try await DatabaseStart(settings: settings, roles: [.worker], logger: logger).run()
            let told = lines.all.filter { $0.level == .error }
            #expect(told.count == 1 && told.first?.text.contains("pg_control_system()") == true, "\(told)")
            try await Story.withNode(settings) { address in
                try await place.waitUntilReadiness(at: status, names: "pg_control_system()")
                // The api can do its work.
                let ready = try await place.provider.http.reply(.GET, address + "/readyz")
                #expect(ready.status == 200, "\(ready.body)")
            }
        }
    }

    @Test func `known by its start alone, a restarted server waits for an operator before it deletes`() async throws {
        try await ManagedPlace.with { place in
            try await place.migrate()
            try await place.host.script(
                "revoke execute on function pg_control_system(), pg_walfile_name(pg_lsn) from public")
            let settings = try await place.settings("dialtone_app", ["DIALTONE_SERVER_IDENTITY": "start"])
            let customer = try await place.makeCustomer(settings)
            try await Story.withNode(settings) { address in
                try await place.signUp("u", of: customer, at: address)
                // As if the server had been started again.
                try await place.host.script("update dialtone.incarnation set started = started - 1")
                try await place.until("select 1 from dialtone.incarnation where change = 'unknown' and is_stopped")
                #expect(try await place.send(.deleted, "u", of: customer, to: address, at: Date() + 60) == 202)
                try await place.until("select 1 from dialtone.jobs where user_id = 'u' and state = 'scheduled'")
                #expect(try await place.provider.ids().count == 1)
                let administration = Administration(settings)
                try await administration.confirmInstallation(isClone: false)
                _ = try await administration.retry(try Story.user("u"))
                try await place.until("select 1 from dialtone.users where user_id = 'u' and status = 'revoked'")
            }
            #expect(try await place.provider.ids().isEmpty)
        }
    }
}

extension ManagedPlace {
    /// Waits until the status listener's `/readyz` is 503 and has the word, for 60 seconds.
    fileprivate func waitUntilReadiness(at status: String, names word: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let reply = try await self.provider.http.reply(.GET, "http://\(status)/readyz")
            if reply.status == 503 && reply.body.contains(word) { return }
            try #require(ContinuousClock.now < deadline, "\(reply.status) \(reply.body)")
            _ = try await self.host.query("select pg_sleep(0.05)::text")
        }
    }
}

/// What a logger was told.
private final class LogLines: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let text: String
    }

    private let lines = Mutex<[Line]>([])

    var all: [Line] { self.lines.withLock { $0 } }
    var handler: any LogHandler { Handler(lines: self) }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = "\(event.message) \(event.metadata ?? [:])"
            self.lines.lines.withLock { $0.append(Line(level: event.level, text: text)) }
        }
    }
}
