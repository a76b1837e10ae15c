// SPDX-License-Identifier: Apache-2.0
// The status listener of one process, with what it shows: the services that watch, count and answer.

import Logging
import Postgres
import Schema
import ServiceLifecycle
import Telemetry
import Web

struct NodeStatus: Sendable {
    private let parts: NodeParts
    private let loops: LoopWatch
    /// Whether this process can do its work.
    let readiness: Readiness

    init(_ parts: NodeParts) {
        self.parts = parts
        self.loops = LoopWatch(delay: parts.metrics.eventLoopDelay)
        let schema = Schema(durability: parts.settings.durability)
        // The writer's pool, because requests cannot fill it: a busy process must not look like one without a database.
        self.readiness = Readiness(worker: parts.metrics.worker) {
            try await parts.pool.withConnection { try await schema.verifyWhileRunning(on: $0) }
        }
    }

    /// The listener stands first in the group: a group stops its first service last, so probes are answered until the
    /// end. `onReady` gets host and port.
    func listener(_ onReady: @escaping @Sendable (String) async -> Void) -> [any Service] {
        guard let address = self.parts.settings.statusListen else { return [] }
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        let application = StatusApplication(
            host: address.host, port: address.port, dependencies: self.dependencies, logger: self.parts.logger,
            onReady: { port in await onReady("\(host):\(port)") })
        return [ForegroundService { try await application.run() }]
    }

    /// Stand behind the pools, which they need.
    var watchers: [any Service] {
        guard self.parts.settings.statusListen != nil else { return [] }
        let census = JobCensus(pool: self.parts.console, metrics: self.parts.metrics)
        return [BackgroundService { await self.loops.run() }, BackgroundService { await census.run() }]
    }

    /// Stands last in the group, so that it is the first to hear of the end.
    var farewell: any Service {
        ForegroundService {
            try? await gracefulShutdown()
            self.readiness.stop()
        }
    }

    private var dependencies: StatusDependencies {
        let liveness = Liveness(loops: self.loops, worker: self.parts.metrics.worker)
        return StatusDependencies(
            troubles: { liveness.troubles() }, reasons: { await self.readiness.reasons() },
            notes: { self.readiness.notes() },
            metrics: {
                for (name, pool) in self.parts.pools {
                    let counts = pool.counts
                    self.parts.metrics.connections.set(PoolConnections(name, .idle), Double(counts.idle))
                    self.parts.metrics.connections.set(PoolConnections(name, .used), Double(counts.leased))
                }
                return self.parts.metrics.text()
            })
    }
}
