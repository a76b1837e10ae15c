// SPDX-License-Identifier: Apache-2.0
// The database's budget at times that a test chooses.

import Foundation
import Postgres
import TestSupport

@testable import ProviderLimits

/// Asks `take_calls` at a scripted time. At ten calls a second a slice has half a second and five calls.
struct ScriptedSlices {
    let database: TestDatabase
    var rate = 10.0
    var scope = "account"

    /// A round number of all slices; it lies in the year 2027.
    private static let start = 1_800_000_000.0

    /// Takes up to `wants` calls, `seconds` after the start. Kinds that are not named want none.
    func take(_ wants: [CallKind: Int], at seconds: Double = 0) async throws -> [CallKind: Int] {
        try await self.database.pool.withConnection { try await self.take(wants, at: seconds, on: $0) }
    }

    func take(
        _ wants: [CallKind: Int], at seconds: Double, on connection: PostgresConnection
    ) async throws -> [CallKind: Int] {
        let wants = CallKind.allCases.map { Int32(wants[$0] ?? 0) }
        let rows = try await connection.query(
            """
            select got from dialtone.take_calls(\(self.scope), \(self.rate), \(wants),
                                                to_timestamp(\(Self.start + seconds)))
            """)
        let got = try rows.first?.decode([Int32].self) ?? []
        return Dictionary(uniqueKeysWithValues: zip(CallKind.allCases, got.map(Int.init)).filter { $0.1 > 0 })
    }

    /// Gives calls back that were taken `seconds` after the start.
    func giveBack(_ count: Int, of kind: CallKind, at seconds: Double = 0) async throws {
        let slice = Int64((Self.start + seconds) / 0.5)
        _ = try await self.database.pool.query(TakenCalls.giveBack(count, of: kind, to: slice, of: self.scope))
    }
}
