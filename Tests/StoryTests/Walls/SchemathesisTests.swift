// SPDX-License-Identifier: Apache-2.0
// Software that we did not write tries every route of the contract, with thousands of requests made from it.

import Composition
import Foundation
import Model
import TestSupport
import Testing

/// Nil but in `make test-api`, which names the program.
private let schemathesis = ProcessInfo.processInfo.environment["DIALTONE_SCHEMATHESIS"]

/// `DIALTONE_EXAMPLES` says how many requests a route gets.
@Suite(.enabled(if: schemathesis != nil)) struct SchemathesisTests {
    /// A stream has no end, and a hook answers to nobody but its sender.
    private static let leftOut = ["stream", "hooks.receive", "hooks.handshake", "hooks.preflight"]

    @Test(arguments: ["tenant", "operator"])
    func `every answer is as the contract says`(who: String) async throws {
        let program = try #require(schemathesis)
        try await Story.with(["DIALTONE_READS_PER_MINUTE": "10000000"]) { story in
            for (number, user) in ["u-1", "u 2", "ü/3"].enumerated() {
                _ = try await story.send(.created, user, delivery: "msg_\(number)")
                try await story.waitUntil(user, is: .ready)
            }
            let key =
                who == "tenant"
                ? story.key
                : try await story.administration.createKey(tenant: nil, scopes: Scope.allCases).key
            // No schema says that the service itself makes each cursor, or that an operator's key needs a tenant. So a
            // request that fits the schema may be refused, and must be refused as the contract says.
            var arguments = [
                "run", "\(story.address)/openapi.json", "--url", story.address, "-H", "Authorization: Bearer \(key)",
                "--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples",
                ProcessInfo.processInfo.environment["DIALTONE_EXAMPLES"] ?? "40",
                "--generation-deterministic", "--request-timeout", "10", "--workers", "2", "--no-color",
            ]
            for operation in Self.leftOut { arguments += ["--exclude-operation-id", operation] }
            // It says more than a pipe holds.
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("api-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: file) }
            let (code, _) = try await OutsideProgram.run(
                URL(fileURLWithPath: "/bin/sh"),
                ["-c", "file=$1; shift; exec \"$@\" >\"$file\" 2>&1", "sh", file.path, program] + arguments)
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            #expect(code == 0, "\(text.suffix(12_000))")
        }
    }
}
