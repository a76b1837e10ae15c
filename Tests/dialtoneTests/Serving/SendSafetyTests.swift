// SPDX-License-Identifier: Apache-2.0
// `dialtone send` gives no secret and no key to another host, and calls nothing a success that changed nothing.

import Foundation
import TestSupport
import Testing

@Suite struct SendSafetyTests {
    private static let standard = "whsec_\(Data(repeating: 1, count: 32).base64EncodedString())"

    /// An answer that leads to that port.
    private static func redirect(to port: Int, _ status: Int = 307) -> StandIn.Act {
        .say(
            "HTTP/1.1 \(status) X\r\nconnection: close\r\nlocation: http://127.0.0.1:\(port)/\r\n"
                + "content-length: 0\r\n\r\n")
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a delivery follows no redirect, and a redirect is no success`(status: Int) async throws {
        let elsewhere = try StandIn { _ in .reply(202, #"{"status":"accepted"}"#) }
        defer { elsewhere.stop() }
        let proxy = try StandIn { _ in Self.redirect(to: elsewhere.port, status) }
        defer { proxy.stop() }
        let ended = try await Program.run(
            ["send", "--url", "http://127.0.0.1:\(proxy.port)/v1/hooks/hk_x", "--tenant", "acme", "--user", "u"],
            ["DIALTONE_SOURCE_SECRET": Self.standard])
        #expect(ended.code == 1 && ended.output == "\(status) \n", "\(ended)")
        #expect(ended.errors.contains("a redirect is not followed") && elsewhere.seen.isEmpty, "\(ended)")
    }

    @Test func `the key goes to the service that is set, under its path, and follows no redirect`() async throws {
        let elsewhere = try StandIn { _ in .reply(200) }
        defer { elsewhere.stop() }
        let api = try StandIn { _ in Self.redirect(to: elsewhere.port) }
        defer { api.stop() }
        let hook = try StandIn { _ in .reply(202, #"{"status":"accepted"}"#) }
        defer { hook.stop() }
        let environment = [
            "DIALTONE_SOURCE_SECRET": Self.standard, "DIALTONE_API_KEY": "dtk_of_the_test",
            "DIALTONE_URL": "http://127.0.0.1:\(api.port)/phones/",
        ]
        let ended = try await Program.run(
            [
                "send", "--url", "http://127.0.0.1:\(hook.port)/v1/hooks/hk_x", "--tenant", "acme", "--user", "u",
                "--wait",
            ], environment)
        #expect(ended.code == 1 && ended.errors.contains("redirects (307)"), "\(ended)")
        #expect(api.seen.count == 1 && api.seen[0].hasPrefix("GET /phones/v1/tenants/acme/users/u "), "\(api.seen)")
        #expect(elsewhere.seen.isEmpty && hook.seen.allSatisfy { !$0.contains("dtk_of_the_test") })
    }

    @Test(arguments: [
        (["DIALTONE_API_KEY": "dtk_x"], "DIALTONE_URL is not set"),
        (["DIALTONE_API_KEY": "dtk_x", "DIALTONE_URL": ""], "DIALTONE_URL is not set"),
        (["DIALTONE_API_KEY": "dtk_x", "DIALTONE_URL": "http://hooks.invalid"], "DIALTONE_URL must be https"),
        (["DIALTONE_API_KEY": "dtk_x", "DIALTONE_PUBLIC_URL": "http://hooks.invalid"], "--url must be https"),
    ])
    func `nothing is sent where the key might go astray`(environment: [String: String], words: String) async throws {
        let ended = try await Program.run(
            ["send", "--url", "http://hooks.invalid/v1/hooks/hk_x", "--tenant", "acme", "--user", "u", "--wait"],
            environment.merging(["DIALTONE_SOURCE_SECRET": Self.standard]) { $1 })
        #expect(ended.code == 2 && ended.output.isEmpty && ended.errors.contains(words), "\(ended)")
        #expect(!ended.errors.contains("dtk_x"))
    }

    @Test func `an event that changes nothing ends with 1, also of a user who is ready`() async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            let hook = try await desk.makeSource(at: try #require(ready["listen"]))
            let wait = ["--tenant", "acme", "--user", "u-1", "--wait"]
            let first = try await desk.run(["send", "--url", hook] + wait)
            #expect(first.code == 0 && first.output.hasSuffix("user u-1 of acme is ready\n"), "\(first)")

            let body = desk.folder.appendingPathComponent("looked.json").path
            try #"{"type":"user.looked"}"#.write(toFile: body, atomically: true, encoding: .utf8)
            let ignored = try await desk.run(["send", "--url", hook, "--body", body] + wait)
            Self.expectNothing(of: ignored, "the body is ignored and changes nothing")

            for (name, tenant) in [("clerk", nil), ("clerk-acme", "acme"), ("okta", nil)] as [(String, String?)] {
                let preset = name.hasPrefix("clerk") ? "clerk" : name
                let source = try await desk.json(
                    ["source", "create", name, "--preset", preset] + (tenant.map { ["--tenant", $0] } ?? []))
                desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
                let url = try #require(source["url"] as? String)
                let sent = try await desk.run(
                    ["send", "--url", url, "--preset", preset, "--organization", "org_1"] + wait)
                if tenant == nil {
                    Self.expectNothing(of: sent, "is in quarantine and changes nothing")
                    #expect(sent.errors.contains("dialtone source map add"), "\(sent)")
                    if name == "clerk" {
                        let words = "user.created, then organizationMembership.created: both are needed\n"
                        #expect(sent.errors.hasPrefix(words), "\(sent)")
                    }
                } else {
                    // With one tenant the membership says nothing new, and the user is there all the same.
                    #expect(sent.code == 0 && sent.output.contains(#""status":"ignored""#), "\(sent)")
                    #expect(sent.output.hasSuffix("user u-1 of acme is ready\n"), "\(sent)")
                }
            }
        }
    }

    private static func expectNothing(of ended: Program.Ended, _ words: String) {
        #expect(ended.code == 1 && ended.errors.contains(words), "\(ended)")
        #expect(!ended.output.contains("is ready") && !ended.output.contains("of acme"), "\(ended)")
    }
}
