// SPDX-License-Identifier: Apache-2.0
// One owner's requests take that owner's places and nobody else's.

import Testing

@testable import Postgres

@Suite struct PoolSharesTests {
    /// The owners of each request, how many there may be, the owners of one too many, and of one that is let in.
    private static let cases: [([PoolShare], Int, [PoolShare], [PoolShare])] = [
        ([.unknown], 64, [.unknown], [.tenant("acme"), .key("k")]),
        ([.tenant("acme")], 64, [.tenant("acme"), .key("other")], [.tenant("globex")]),
        ([.tenant("acme"), .key("k")], 48, [.tenant("acme"), .key("k")], [.tenant("acme"), .key("other")]),
    ]

    @Test(arguments: PoolSharesTests.cases)
    func `an owner with its full number is refused at once, and others are let in`(
        owners: [PoolShare], most: Int, refused: [PoolShare], other: [PoolShare]
    ) async throws {
        let shares = PoolShares()
        try await Self.holding(most, owners, of: shares) {
            await #expect(throws: PoolShares.TooMany.self) { try await shares.hold(refused) {} }
            try await shares.hold(other) {}
        }
        try await shares.hold(refused) {}
    }

    @Test func `a request that is refused for one owner takes no place of the other`() async throws {
        let shares = PoolShares()
        try await Self.holding(48, [.key("k")], of: shares) {
            for _ in 0..<100 {
                await #expect(throws: PoolShares.TooMany.self) {
                    try await shares.hold([.tenant("acme"), .key("k")]) {}
                }
            }
            try await shares.hold([.tenant("acme")]) {}
        }
    }

    @Test func `a request that fails gives its place back`() async throws {
        let shares = PoolShares()
        for _ in 0..<20 {
            await #expect(throws: CancellationError.self) {
                try await shares.hold([.unknown]) { throw CancellationError() }
            }
        }
        try await shares.hold([.unknown]) {}
    }

    /// Runs `work` while `count` requests are under way.
    private static func holding(
        _ count: Int, _ owners: [PoolShare], of shares: PoolShares, _ work: () async throws -> Void
    ) async throws {
        guard count > 0 else { return try await work() }
        try await shares.hold(owners) { try await Self.holding(count - 1, owners, of: shares, work) }
    }
}
