// SPDX-License-Identifier: Apache-2.0
// The log says which source a refused request came to.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct RefusedLogTests {
    @Test func `the log of a refused request names the source by its id, and never by its hook`() async throws {
        try await Desk.withSimulator { desk in
            let errors = Listener()
            let (service, ready) = try await Desk.start(
                ["serve", "--roles", "api"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            let hook = try await desk.makeSource(at: address)
            let listed = try #require(try await desk.json("source", "list")["data"] as? [[String: Any]])
            let id = try #require(listed.first?["id"] as? String)
            // The first delivery of a source takes the router's way, and the next one the fast path.
            #expect(try await Self.post(to: hook, at: address).hasPrefix("HTTP/1.1 401 "))
            let body = desk.folder.appendingPathComponent("body").path
            try "no JSON".write(toFile: body, atomically: true, encoding: .utf8)
            #expect(try await desk.run(["send", "--url", hook, "--body", body]).output.hasPrefix("400 "))
            #expect(try await Self.post(to: "\(address)/v1/hooks/hk_none", at: address).hasPrefix("HTTP/1.1 404 "))
            #expect(await Desk.end(service, by: SIGTERM) == 0)
            let log = await errors.rest()
            for code in ["bad_proof", "invalid_json"] {
                #expect(Self.facts(in: log, of: code).map { $0["source"] as? String } == [id], "\(code): \(log)")
            }
            #expect(Self.facts(in: log, of: "unknown_hook").allSatisfy { $0["source"] == nil }, "\(log)")
            #expect(!log.contains(String(hook.suffix(20))), "a hook is half of what a sender needs")
        }
    }

    private static func post(to hook: String, at address: String) async throws -> String {
        let wire = try Wire(to: address)
        wire.send("POST \(hook.dropFirst(address.count))", [], "{}")
        return await wire.awaitAnswer()
    }

    /// Lines on requests that were refused with this code.
    private static func facts(in log: String, of code: String) -> [[String: Any]] {
        log.split(separator: "\n").compactMap { line in
            let facts = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return facts?["code"] as? String == code ? facts : nil
        }
    }
}
