// SPDX-License-Identifier: Apache-2.0
// `dialtone serve` as a process on an ordinary host: a stalled log, a stop in the middle of work, secrets that change.

import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@Suite struct ServeTests {
    @Test func `a log that nobody reads holds up neither the start nor requests nor the stop`() async throws {
        try await Desk.withSimulator { desk in
            let errors = Pipe()
            try StalledLogTests.fill(errors.fileHandleForWriting.fileDescriptor)
            let (service, ready) = try await Desk.start(["serve"], desk.environment, errors: errors)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            #expect(try await desk.run(["check", "--ready", address]).code == 0)
            #expect(await Desk.end(service, by: SIGTERM) == 0)
            try errors.fileHandleForReading.close()
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a stop while a create is held and an app waits ends with 0`(signal: Int32) async throws {
        try await Desk.withSimulator { desk in
            desk.environment["DIALTONE_HTTP_DEADLINE"] = "5s"
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            let provider = try #require(desk.environment["TELNYX_BASE_URL"])
            let faults = try Wire(to: provider)
            faults.send(
                "PUT /control/faults", ["Authorization: Bearer test-key"],
                "{\"rules\":[{\"operation\":\"create\",\"kind\":\"delay\",\"milliseconds\":15000}]}")
            #expect(faults.answer().hasPrefix("HTTP/1.1 2"))
            let key = try await desk.json("key", "create", "--tenant", "acme", "--scopes", "login-tokens:create")
            try await desk.signUp("u-1", at: address)
            let waiter = try Wire(to: address)
            waiter.send(
                "POST /v1/login-tokens",
                ["Authorization: Bearer \(key["key"] as? String ?? "")", "Prefer: wait=2"], "{\"user_id\":\"u-1\"}")
            try await desk.database.until("select 1 from dialtone.jobs where state = 'armed'")
            // The waiter's look-up, which the service makes when it has the whole request.
            try await desk.database.until(
                """
                select 1 from pg_stat_activity where datname = current_database()
                and pid <> pg_backend_pid() and query like '%owner.wanted%'
                """)

            let clock = ContinuousClock.now
            #expect(await Desk.end(service, by: signal) == 0)
            #expect(ContinuousClock.now - clock < .seconds(25))
            #expect(waiter.answer().hasPrefix("HTTP/1.1 202"), "who waits is told to ask again")
            let doubts = try await desk.database.admin.query("select 1 from dialtone.jobs where state = 'in_doubt'")
            #expect(doubts.count == 1, "the held create is looked up by the next worker")
        }
    }

    @Test func `the provider's key changes in its file and is used without a restart`() async throws {
        try await Desk.withSimulator { desk in
            desk.environment["TELNYX_API_KEY"] = nil
            let file = desk.folder.appendingPathComponent("key").path
            desk.environment["TELNYX_API_KEY_FILE"] = file
            try "old-key\n".write(toFile: file, atomically: true, encoding: .utf8)
            let errors = Listener()
            let (service, ready) = try await Desk.start(["serve"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            // The simulator takes no other key than this one.
            try "test-key\n".write(toFile: file, atomically: true, encoding: .utf8)
            try await desk.signUp("u-1", at: try #require(ready["listen"]))
            try await desk.database.until("select 1 from dialtone.users where status = 'ready'")
            try await errors.waits(for: "a secret was read again and has changed")

            kill(service.processIdentifier, SIGHUP)
            try await errors.waits(for: "\"a secret was read again\"")
            #expect(!errors.heard.contains("test-key"))
        }
    }

    @Test func `the database's login changes in its file and is used without a restart`() async throws {
        try await Desk.withSimulator { desk in
            let id = UUID().uuidString.prefix(8).lowercased()
            let (oldLogin, newLogin) = ("old_\(id)", "new_\(id)")
            for login in [oldLogin, newLogin] {
                try await desk.database.admin.script("create role \(login) login; grant dialtone_service to \(login)")
            }
            let file = desk.folder.appendingPathComponent("url").path
            let old = desk.database.url.replacing("user=postgres", with: "user=\(oldLogin)")
            let new = desk.database.url.replacing("user=postgres", with: "user=\(newLogin)")
            var environment = desk.environment
            environment["DATABASE_URL"] = nil
            environment["DATABASE_URL_FILE"] = file
            try old.write(toFile: file, atomically: true, encoding: .utf8)
            let (service, ready) = try await Desk.start(["serve", "--roles", "api"], environment)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            #expect(try await desk.run(["check", "--ready", address]).code == 0)

            try new.write(toFile: file, atomically: true, encoding: .utf8)
            try await desk.database.admin.script("alter role \(oldLogin) nologin")
            _ = try await desk.database.admin.query(
                "select pg_terminate_backend(pid)::text from pg_stat_activity where usename = \(oldLogin)")
            let deadline = ContinuousClock.now + .seconds(30)
            let sessions: SQL = "select 1 from pg_stat_activity where usename = \(newLogin)"
            // An answer may be a second old, so the new login's session decides.
            while try await desk.database.admin.query(sessions).isEmpty {
                _ = try await desk.run(["check", "--ready", address])
                try #require(ContinuousClock.now < deadline, "the new login is not used")
            }
            #expect(try await desk.run(["check", "--ready", address]).code == 0)
        }
    }

    @Test func `a port alone listens on all addresses and says so`() async throws {
        try await Desk.withSimulator { desk in
            desk.environment["DIALTONE_LISTEN"] = ":\(try FreePort.find())"
            let errors = Listener()
            let (service, ready) = try await Desk.start(
                ["serve", "--roles", "api"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            try await errors.waits(for: "listening on all addresses of this machine")
            let url = try #require(ready["listen"].flatMap { URL(string: $0) })
            #expect(url.port != nil && ["::", "[::]", "0.0.0.0"].contains(url.host ?? ""), "\(url)")
            let wire = try Wire(to: "\(url)")
            wire.send("GET /healthz")
            #expect(wire.answer().hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `no core file and no other process gets the memory`() async throws {
        let (simulator, _) = try await Desk.start(["simulator", "--listen", "127.0.0.1:0"], [:])
        defer { simulator.terminate() }
        let folder = "/proc/\(simulator.processIdentifier)"
        let limits = try String(contentsOfFile: "\(folder)/limits", encoding: .utf8)
        #expect(limits.contains(/Max core file size +0 +0/))
        // The kernel gives the files of a process that is not dumpable to root. A test that root runs cannot tell.
        var status = stat()
        let isThere = stat("\(folder)/environ", &status) == 0
        #expect(isThere && status.st_uid == 0)
    }
}
