// SPDX-License-Identifier: Apache-2.0
// What a SQLSTATE says: the server is away, it refuses these values for good, or the transaction may be tried again.

import Testing

@testable import Postgres

@Suite struct PostgresErrorTests {
    private static func error(_ state: String) -> PostgresError {
        PostgresError(.server, "refused", sqlState: state)
    }

    @Test(arguments: ["08006", "25006", "53100", "53200", "53300", "53400", "57P01", "57P02", "57P03"])
    func `a server without room, without writes or on its way down counts as away`(state: String) {
        let error = Self.error(state)
        #expect(error.isUnavailable && !error.isRefusedForGood && !error.isRetryable)
    }

    @Test(arguments: ["22001", "22021", "22P05", "23502", "23505", "23514", "54000", "54001"])
    func `bad values, broken constraints and limits are refused for good`(state: String) {
        let error = Self.error(state)
        #expect(error.isRefusedForGood && !error.isUnavailable && !error.isRetryable)
    }

    @Test(arguments: ["40001", "40P01", "55P03", "57014", "58030", "XX000", "42501", "25P02", "25001"])
    func `any other refusal is neither`(state: String) {
        let error = Self.error(state)
        #expect(!error.isRefusedForGood && !error.isUnavailable)
        #expect(error.isRetryable == ["40001", "40P01"].contains(state))
    }

    @Test func `a code of the driver is not judged by a SQLSTATE that happens to be there`() {
        #expect(!PostgresError(.commitUnknown, "", sqlState: "23514").isRefusedForGood)
        #expect(PostgresError(.commitUnknown, "", sqlState: "23514").isUnavailable)
    }
}
