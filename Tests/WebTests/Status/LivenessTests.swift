// SPDX-License-Identifier: Apache-2.0
// A process lives while its event loops tick and its worker turns, whatever the database does.

import NIOCore
import NIOEmbedded
import Telemetry
import Testing

@testable import Web

@Suite struct LivenessTests {
    private let clock = HandClock()
    private let loop = EmbeddedEventLoop()
    private let delay = Histogram(Buckets.latency)

    @Test func `an event loop that does not tick for ten seconds is reported, until it ticks again`() {
        let clock = self.clock
        let watch = LoopWatch([self.loop], delay: self.delay, now: { clock.now })
        let liveness = Liveness(loops: watch, worker: nil)
        let ticks = watch.start()
        clock.advance(by: .seconds(1))
        self.loop.advanceTime(by: .seconds(1))
        clock.advance(by: .seconds(10))
        #expect(liveness.troubles() == [])
        clock.advance(by: .seconds(1))
        #expect(liveness.troubles() == ["an event loop is blocked since 11 s"])
        self.loop.advanceTime(by: .seconds(1))
        #expect(liveness.troubles() == [])
        #expect(self.delay.count == 2)
        for tick in ticks { tick.cancel() }
    }

    @Test func `a worker that makes no turn for two minutes is reported, until it turns again`() {
        let clock = self.clock
        let watch = LoopWatch([], delay: self.delay, now: { clock.now })
        let worker = WorkerPulse(now: { clock.now })
        let liveness = Liveness(loops: watch, worker: worker)
        clock.advance(by: .seconds(120))
        #expect(liveness.troubles() == [], "a start and a slow database have that much time")
        clock.advance(by: .seconds(1))
        #expect(liveness.troubles() == ["the worker has made no turn since 121 s"])
        worker.turned()
        #expect(liveness.troubles() == [])
    }

    @Test func `a probe gets a status, and an operator the reasons`() {
        #expect(StatusRoutes.health([]).status == 200)
        #expect(StatusRoutes.health(["stuck"]).status == 503 && StatusRoutes.health(["stuck"]).body == "stuck\n")
        #expect(StatusRoutes.readiness([]).body == "{\"ready\":true,\"reasons\":[]}\n")
        let noted = StatusRoutes.readiness([], notes: ["a"])
        #expect(noted.status == 200 && noted.body == "{\"ready\":true,\"reasons\":[],\"notes\":[\"a\"]}\n")
        let answer = StatusRoutes.readiness(["a \"b\"", "c"])
        #expect(answer.status == 503)
        #expect(
            answer.body
                == "{\"ready\":false,\"reasons\":[\"a \\\"b\\\"\",\"c\"],\"detail\":\"a \\\"b\\\"; c\"}\n")
        let type = StatusRoutes.metrics("").fields.first { $0.0 == "content-type" }
        #expect(type?.1.hasPrefix("text/plain; version=0.0.4") == true)
    }
}
