// SPDX-License-Identifier: Apache-2.0
// A pooler that nobody told of is found at the start, whatever it does with options and server processes.

import Foundation
import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct PoolerProbeTests {
    @Test func `a server itself shows nothing of a pooler`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let url = try PostgresConfiguration(url: database.url)
            #expect(try await PoolerProbe.evidence(at: url, sendsOptions: true) == nil)
            #expect(try await PoolerProbe.evidence(at: url, sendsOptions: false) == nil)
        }
    }

    @Test(arguments: [1, 2, 5], [true, false])
    func `two transactions in different processes show a pooler`(
        processes: Int, givesNewestFirst: Bool
    ) async throws {
        let pool = StubPooler(processes: processes, givesNewestFirst: givesNewestFirst)
        let evidence = try await PoolerProbe.evidence(
            first: StubSession(pooler: pool), second: StubSession(pooler: pool), sendsOptions: true)
        #expect(evidence == .processesShared)
    }

    @Test func `options that are not in force show a pooler`() async throws {
        let pool = StubPooler(processes: 5, givesNewestFirst: true, keepsOptions: false)
        let evidence = try await PoolerProbe.evidence(
            first: StubSession(pooler: pool), second: StubSession(pooler: pool), sendsOptions: true)
        #expect(evidence == .optionsDropped)
    }

    @Test func `the error names the setting that tells of a pooler`() {
        for evidence in [PoolerEvidence.optionsDropped, .optionsRefused, .processesShared] {
            let text = SchemaError.pooler(setting: "DATABASE_URL", evidence).description
            #expect(text.contains("DIALTONE_POOLER=transaction") && text.contains("\(evidence)"))
            #expect("\(SchemaError.migrationThroughPooler(evidence))".contains("pooler"))
        }
        // No setting helps in statement mode.
        let statements = SchemaError.pooler(setting: "DATABASE_URL", .transactionsRefused).description
        #expect(statements.contains("pool_mode") && !statements.contains("DIALTONE_POOLER"))
        for evidence in [PoolerEvidence.processesShared, .transactionsRefused] {
            let direct = SchemaError.pooler(setting: "DATABASE_DIRECT_URL", evidence).description
            #expect(direct.hasPrefix("DATABASE_DIRECT_URL") && direct.contains("the server itself"))
        }
    }
}

/// A pooler in transaction mode: each transaction gets a process that is free.
private actor StubPooler {
    struct NoProcessFree: Error {}

    private let givesNewestFirst: Bool
    private var free: [Int32]
    private var taken: [UUID: Int32] = [:]
    let keepsOptions: Bool

    init(processes: Int, givesNewestFirst: Bool, keepsOptions: Bool = true) {
        self.givesNewestFirst = givesNewestFirst
        self.free = (0..<processes).map { Int32(100 + $0) }
        self.keepsOptions = keepsOptions
    }

    func begin(_ session: UUID) throws -> Int32 {
        guard !self.free.isEmpty else { throw NoProcessFree() }
        let process = self.givesNewestFirst ? self.free.removeLast() : self.free.removeFirst()
        self.taken[session] = process
        return process
    }

    func commit(_ session: UUID) {
        if let process = self.taken.removeValue(forKey: session) { self.free.append(process) }
    }
}

private struct StubSession: ProbedSession {
    let pooler: StubPooler
    let id = UUID()

    func value(of setting: String) async throws -> String? {
        self.pooler.keepsOptions ? PoolerProbe.marker.value : nil
    }

    func begin() async throws -> Int32 { try await self.pooler.begin(self.id) }
    func commit() async throws { await self.pooler.commit(self.id) }
}
