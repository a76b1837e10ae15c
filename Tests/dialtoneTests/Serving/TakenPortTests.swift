// SPDX-License-Identifier: Apache-2.0
// A service whose port is taken says so in one sentence, whichever of its ports it is.

import Foundation
import TestSupport
import Testing

@Suite struct TakenPortTests {
    @Test(arguments: ["DIALTONE_LISTEN", "DIALTONE_STATUS_LISTEN"])
    func `the address is named, and no library speaks before it`(setting: String) async throws {
        try await Desk.withSimulator { desk in
            // Another program has the port.
            let (other, ready) = try await Desk.start(["simulator", "--listen", "127.0.0.1:0"], [:])
            defer { other.terminate() }
            let port = try #require(ready["base_url"].flatMap { URL(string: $0)?.port })
            desk.environment["DIALTONE_STATUS_LISTEN"] = "127.0.0.1:0"
            desk.environment[setting] = "127.0.0.1:\(port)"
            let ended = try await desk.run(["serve"])
            #expect(ended.code == 1)
            let lines = ended.errors.split(separator: "\n")
            #expect(lines.last?.hasPrefix("dialtone: cannot listen on 127.0.0.1:\(port)") == true, "\(ended)")
            #expect(!ended.errors.contains("\"error\"") && !ended.errors.contains("CancellationError"), "\(ended)")
        }
    }
}
