// SPDX-License-Identifier: Apache-2.0
// `dialtone send` as a process: what it prints, what it waits for, and its exit codes.

import Foundation
import TestSupport
import Testing

@Suite struct SendCommandTests {
    @Test func `send follows a user until the event has had its effect, by the database or by a key`() async throws {
        try await Self.withService { desk, hook in
            let send = ["send", "--url", hook, "--tenant", "acme", "--wait", "--user"]
            try await Self.expect(desk, send + ["u-1"], 0, "202 {", "user u-1 of acme is ready\n")

            let key = try await desk.json("key", "create", "--tenant", "acme", "--scopes", "users:read")
            var far = desk
            far.environment = [
                "DIALTONE_SOURCE_SECRET": try #require(desk.environment["DIALTONE_SOURCE_SECRET"]),
                "DIALTONE_API_KEY": try #require(key["key"] as? String),
            ]
            try await Self.expect(far, send + ["u-2"], 0, "202 {", "user u-2 of acme is ready\n")
            try await Self.expect(
                far, send + ["u-2", "--event", "deleted"], 0, "202 {", "user u-2 of acme is revoked\n")

            let body = desk.folder.appendingPathComponent("body.json").path
            try #"{"type":"user.created","data":{"user_id":"u-8","tenant_id":"acme"}}"#.write(
                toFile: body, atomically: true, encoding: .utf8)
            for one in [far, desk] {
                let late = try await one.run(send + ["u-9", "--body", body, "--timeout", "1"])
                #expect(late.code == 1 && late.errors.contains("there is no user u-9 of acme after 1 s"), "\(late)")
            }
            far.environment["DIALTONE_API_KEY"] = "dtk_unknown"
            let refused = try await far.run(send + ["u-3"])
            #expect(refused.code == 4 && refused.errors.contains("DIALTONE_API_KEY"), "\(refused)")
            var near = desk
            near.environment["DIALTONE_API_KEY"] = ""
            try await Self.expect(near, send + ["u-5"], 0, "202 {", "user u-5 of acme is ready\n")
            far.environment["DIALTONE_API_KEY"] = nil
            let blind = try await far.run(send + ["u-4"])
            #expect(blind.code == 2 && blind.output.isEmpty, "nothing is sent that cannot be followed: \(blind)")
        }
    }

    @Test func `a delivery twice is a duplicate, and what must be refused ends with 0 when it is`() async throws {
        try await Self.withService { desk, hook in
            let send = ["send", "--url", hook, "--tenant", "acme", "--user", "u-1"]
            try await Self.expect(
                desk, send + ["--times", "2"], 0, "user.created: 202 {", "user.created, time 2: 200 {",
                #""status":"duplicate""#)
            for fault in ["--stale", "--forged"] {
                try await Self.expect(desk, send + [fault], 0, "401 {", "bad_proof")
                // Nobody checks a signature there, so it is taken for what it is not.
                let elsewhere = hook.replacing("/v1/hooks/", with: "/v1/nowhere/")
                let taken = try await desk.run(
                    ["send", "--url", elsewhere, "--tenant", "acme", "--user", "u-1", fault])
                #expect(taken.code == 1 && taken.errors.contains("must refuse this with 401"), "\(taken)")
            }
            let wrong = try await desk.run(send + ["--preset", "workos"])
            #expect(
                wrong.code == 1 && wrong.output.contains("\nuser.created: 401 ") == false
                    && wrong.output.contains("401 "), "\(wrong)")
        }
    }

    @Test func `the answer to one delivery stands alone, and type is another name of event`() async throws {
        try await Self.withService { desk, hook in
            let send = ["send", "--url", hook, "--tenant", "acme", "--user", "u-1"]
            for type in ["user.created", "user.deleted"] {
                let ended = try await desk.run(send + ["--type", type])
                let isWhole = ended.output.wholeMatch(of: /202 \{"event_id":"[^"]+","status":"accepted"\}\n/) != nil
                #expect(ended.code == 0 && isWhole && ended.errors.isEmpty, "\(ended)")
            }
        }
    }

    @Test(arguments: [
        (["--user", "u", "--tenant", "acme", "--preset", "clark"], "preset", 2),
        (["--user", "u", "--tenant", "acme", "--preset", "okta", "--stale"], "signs no time", 2),
        (["--user", "u", "--tenant", "acme", "--event", "renamed"], "there are: created, deleted, user.created", 2),
        (["--user", "u", "--tenant", "acme", "--times", "0"], "--times", 2),
        (["--user", "u", "--tenant", "acme", "--stale", "--forged"], "--forged", 2),
        (["--user", "u", "--organization", "o", "--wait"], "--tenant", 2), (["--user", "u"], "--tenant", 2),
        (["--body", "/nowhere"], "--body", 2), (["--user", "u", "--tenant", "acme", "--header", "x"], "--header", 2),
        (
            ["--user", "u", "--tenant", "acme"],
            "no answer from 127.0.0.1:1: connection failed. Does the service listen there?\n", 7
        ),
    ])
    func `what cannot be sent is told in a sentence`(arguments: [String], words: String, code: Int32) async throws {
        let secret = "whsec_\(Data(repeating: 1, count: 32).base64EncodedString())"
        let send = ["send", "--url", "http://127.0.0.1:1/v1/hooks/hk_x"]
        let ended = try await Program.run(send + arguments, ["DIALTONE_SOURCE_SECRET": secret])
        #expect(ended.code == code && ended.output.isEmpty && ended.errors.contains(words), "\(arguments): \(ended)")
        #expect(!ended.errors.contains("hk_x") && !ended.errors.contains("NIO"), "\(ended.errors)")
    }

    @Test func `without a secret nothing is sent`() async throws {
        let send = ["send", "--url", "http://127.0.0.1:1/", "--tenant", "acme", "--user", "u"]
        let ended = try await Program.run(send)
        #expect(ended.code == 2 && ended.errors.contains("DIALTONE_SOURCE_SECRET is not set"), "\(ended)")
    }

    private static func expect(_ desk: Desk, _ arguments: [String], _ code: Int32, _ words: String...) async throws {
        let ended = try await desk.run(arguments)
        #expect(ended.code == code, "\(arguments): \(ended)")
        for word in words { #expect(ended.output.contains(word), "\(arguments): \(ended)") }
    }

    /// Lends a desk with a running service, and the URL of a hook of acme.
    private static func withService(_ work: (Desk, String) async throws -> Void) async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let hook = try await desk.makeSource(at: try #require(ready["listen"]))
            try await work(desk, hook)
        }
    }
}
