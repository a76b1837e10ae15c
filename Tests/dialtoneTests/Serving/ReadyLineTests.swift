// SPDX-License-Identifier: Apache-2.0
// The ready line of a real process, in each role and with and without a status listener.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct ReadyLineTests {
    /// The members of the ready line beside `ready`.
    struct Case: CustomTestStringConvertible, Sendable {
        let roles: String
        let status: String?
        let listens: Bool

        var testDescription: String { "\(self.roles), status \(self.status ?? "by default")" }
    }

    static let cases = [
        Case(roles: "api", status: nil, listens: true), Case(roles: "worker", status: nil, listens: false),
        Case(roles: "api,worker", status: nil, listens: true), Case(roles: "api", status: "none", listens: true),
        Case(roles: "worker", status: "none", listens: false),
        Case(roles: "api,worker", status: "none", listens: true),
    ]

    @Test(arguments: cases)
    func `standard output has one line, which names the listeners that answer`(expected: Case) async throws {
        try await TestDatabase.with { database in
            var environment = try await Self.environment(database)
            environment["DIALTONE_STATUS_LISTEN"] = expected.status
            let service = try RunningService.start(["--roles", expected.roles], environment)
            defer { service.process.terminate() }
            let line = try await service.ready()
            #expect(line.ready && (line.listen != nil) == expected.listens)
            #expect((line.status != nil) == (expected.status == nil))
            for url in [line.listen, line.status.map { "http://\($0)" }].compactMap({ $0 }) {
                #expect(try await Wire.get("/healthz", at: url).hasPrefix("HTTP/1.1 200 "))
                try await Wire.get("/readyz", at: url, until: 200)
            }
            #expect(await service.end(by: SIGTERM, within: .seconds(40)).code == 0)
            let said = await service.output.rest()
            #expect(said.hasSuffix("}\n") && said.count { $0 == "\n" } == 1, "\(said)")
            let members = try #require(
                try JSONSerialization.jsonObject(with: Data(said.utf8)) as? [String: Any])
            #expect(Set(members.keys).isSubset(of: ["ready", "listen", "status"]), "\(said)")
        }
    }

    private static func environment(_ database: TestDatabase) async throws -> [String: String] {
        let key = try await Program.run(["vault", "keygen"]).output
        // The worker has nothing to do, so nobody needs to answer there.
        return [
            "DATABASE_URL": database.url, "DIALTONE_KEK": "env:KEK", "TELNYX_API_KEY": "test-key",
            "KEK": key.trimmingCharacters(in: .newlines), "DIALTONE_LISTEN": "127.0.0.1:0",
            "TELNYX_BASE_URL": "http://127.0.0.1:1/v2",
        ]
    }
}
