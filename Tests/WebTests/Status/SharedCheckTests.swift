// SPDX-License-Identifier: Apache-2.0
// However many ask whether a process is ready, one check is under way, and its answer serves all for a second.

import Telemetry
import Testing

@testable import Web

@Suite struct SharedCheckTests {
    private let clock = HandClock()
    private let runs = Counter()

    @Test func `a hundred questions at once run one check, and all get its answer`() async {
        let (clock, runs, asked) = (self.clock, self.runs, Counter())
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let check = SharedCheck<Int>(now: { clock.now }) {
            runs.add()
            for await _ in gate { break }
            return runs.value
        }
        let answers = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    asked.add()
                    return await check.answer()
                }
            }
            while asked.value < 100 { await Task.yield() }
            opening.finish()
            return await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(answers == Array(repeating: 1, count: 100))
        #expect(runs.value == 1)
    }

    @Test func `an answer serves for a second, and then the check runs again`() async {
        let (clock, runs) = (self.clock, self.runs)
        let check = SharedCheck<Int>(now: { clock.now }) {
            runs.add()
            return runs.value
        }
        #expect(await check.answer() == 1)
        clock.advance(by: .milliseconds(999))
        #expect(await check.answer() == 1)
        clock.advance(by: .milliseconds(1))
        #expect(await check.answer() == 2)
    }
}
