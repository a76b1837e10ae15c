// SPDX-License-Identifier: Apache-2.0
// Each rule of the senders' writers is needed: without it a check comes out wrong.

import TestSupport
import Testing

@Suite struct SendersMutantTests {
    @Test(arguments: SendersMutant.all)
    func `a rule that is taken away is missed`(_ mutant: SendersMutant) async throws {
        try await TestDatabase.with { database in
            let breaking = SendersBreaking(mutant.changes)
            let holds = try await mutant.check.holds(database, breaking)
            #expect(!holds, "nothing depends on the rule, or no check notices it")
            #expect(breaking.left.isEmpty, "the statements no longer have the texts that the mutant changes")
        }
    }

    @Test(arguments: Self.checks)
    func `with all rules every check comes out right`(_ check: SendersCheck) async throws {
        try await TestDatabase.with { database in
            let holds = try await check.holds(database, SendersBreaking([]))
            #expect(holds)
        }
    }

    /// Each check once.
    private static let checks = Dictionary(grouping: SendersMutant.all.map(\.check), by: \.name)
        .sorted { $0.key < $1.key }.compactMap(\.value.first)
}
