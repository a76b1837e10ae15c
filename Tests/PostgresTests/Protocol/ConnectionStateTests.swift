// SPDX-License-Identifier: Apache-2.0
// A connection lets one exchange in at a time, tested without a server.

import Testing

@testable import Postgres

@Suite struct ConnectionStateTests {
    @Test func `a connection takes one exchange at a time and none after it was closed`() throws {
        var state = ConnectionState()
        try state.begin(.statement)
        #expect(refusal(of: .pipeline, in: &state) != nil)
        state.end()
        #expect(refusal(of: .pipeline, in: &state) == nil)
        let closedNow = state.close(PostgresError(.connectionLost, "gone"))
        #expect(closedNow)
        state.end()
        #expect(refusal(of: .statement, in: &state)?.code == .connectionLost)
    }

    private func refusal(of exchange: ConnectionState.Activity, in state: inout ConnectionState) -> PostgresError? {
        do throws(PostgresError) {
            try state.begin(exchange)
            return nil
        } catch {
            return error
        }
    }
}
