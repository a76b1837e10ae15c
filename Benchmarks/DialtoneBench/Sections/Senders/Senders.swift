// SPDX-License-Identifier: Apache-2.0
// Senders with presets beside the canonical one: users per second, what a forged request costs, and one huge delivery.

import Foundation
import Postgres

struct Senders: Encodable {
    /// One kind of sender at 64 connections, with 90 % good requests, 5 % repeated ones and 5 % forged ones.
    struct Mixed: Encodable {
        /// New users per second, median of the runs.
        var usersPerSecond: Double
        /// Milliseconds to the answer of an accepted request.
        var p50: Double
        var p99: Double
        /// To the canonical sender's users of the same round, median of the rounds.
        var timesStandard: Double
        /// Processor time for one new user, in microseconds: of the service, and of its sessions with PostgreSQL.
        var serviceMicroseconds: Double
        var databaseMicroseconds: Double
        var runs: [Double]
    }

    /// Requests that are forged, all of them, over many connections. A refusal waits there on purpose, so its cost is
    /// processor time.
    struct Forged: Encodable {
        /// Microseconds of the service for one refused request, and for one accepted one of the same kind.
        var refusedMicroseconds: Double
        var acceptedMicroseconds: Double
        /// How many more requests a processor refuses than it accepts.
        var timesAccepted: Double
        var refused: Int
        /// Transactions of the whole database meanwhile, those of the service's own housekeeping included.
        var transactions: Int
    }

    var standard: Mixed
    var clerk: Mixed
    var okta: Mixed
    var forgedStandard: Forged
    var forgedToken: Forged
    /// One delivery of 10,000 items: how long it took, and another tenant's sign-ups meanwhile.
    var large: LargeDelivery

    private static let rounds = 5

    static func measure(on bed: Bed) async throws -> Senders {
        Wire.allowManyConnections()
        let ground = try await SenderStage.make(on: bed)
        let service = try await ground.stage.start(["serve", "--roles", "api"])
        defer { service.stop() }
        let database = try await ground.stage.connect()
        var rounds: [SenderKind: [MixedRun]] = [:]
        for round in 0...Self.rounds {
            for kind in [SenderKind.standard, .clerk, .okta] {
                let run = try await MixedRun(kind, round: round, on: ground, service, database)
                // The first round is a warm-up.
                if round > 0 { rounds[kind, default: []].append(run) }
            }
            Progress.tell("senders: round \(round) of \(Self.rounds)")
        }
        let large = try await LargeDelivery.measure(on: ground, port: service.port)
        let forged = try await [SenderKind.standard, .token].asyncMap {
            try await ForgedRun.measure($0, on: ground, service, database)
        }
        await database.close()
        let standard = rounds[.standard] ?? []
        return Senders(
            standard: Self.mixed(standard, standard), clerk: Self.mixed(rounds[.clerk] ?? [], standard),
            okta: Self.mixed(rounds[.okta] ?? [], standard), forgedStandard: forged[0], forgedToken: forged[1],
            large: large)
    }

    private static func mixed(_ runs: [MixedRun], _ standard: [MixedRun]) -> Mixed {
        Mixed(
            usersPerSecond: runs.map(\.usersPerSecond).median.rounded(), p50: runs.map(\.p50).median.rounded2,
            p99: runs.map(\.p99).median.rounded2,
            timesStandard: zip(runs, standard).map { $0.usersPerSecond / $1.usersPerSecond }.median.rounded2,
            serviceMicroseconds: runs.map(\.serviceMicroseconds).median.rounded2,
            databaseMicroseconds: runs.map(\.databaseMicroseconds).median.rounded2,
            runs: runs.map { $0.usersPerSecond.rounded() })
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ work: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await work(element)) }
        return values
    }
}
