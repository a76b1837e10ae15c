// SPDX-License-Identifier: Apache-2.0
// Housekeeping keeps its timetable: what is done at which tick, in which order, and how often in an hour.

import Testing

@testable import Onboarding

@Suite struct ScheduleTests {
    /// The worker's poll interval.
    private static let tick: Duration = .milliseconds(500)

    // MARK: Schedules

    @Test func `a schedule has its first turn at its first time and then one per interval`() {
        let schedule = Schedule.every(.seconds(5), from: .milliseconds(1500))
        #expect(Self.turns(of: schedule, in: 40) == [3, 13, 23, 33])
    }

    @Test func `a schedule without a first time begins at the first tick`() {
        #expect(Self.turns(of: .every(.seconds(1)), in: 6) == [0, 2, 4])
    }

    @Test func `a schedule never has more than one turn per tick`() {
        #expect(Self.turns(of: .everyTick, in: 4) == [0, 1, 2, 3])
        #expect(Self.turns(of: .every(.milliseconds(10)), in: 4) == [0, 1, 2, 3])
    }

    @Test func `a longer tick leaves fewer ticks between two turns`() {
        let turns = (0..<12).filter { Schedule.every(.seconds(5)).isDue(at: $0, of: .seconds(1)) }
        #expect(turns == [0, 5, 10])
    }

    // MARK: The table

    @Test func `every tick ends by queueing due jobs and rescuing jobs`() {
        for tick in 0..<240 {
            let chores = Chore.due(at: tick, of: Self.tick)
            #expect(Array(chores.suffix(3)) == [.queueDueJobs, .rescueExpiredLeases, .rescueJobsOfDeadNodes])
        }
    }

    @Test func `the first tick reads strays, makes the log's partitions and looks at the nodes' locks`() {
        let chores = Chore.due(at: 0, of: Self.tick)
        #expect(Array(chores.dropLast(3)) == [.readStrayNames, .watchNodeLocks, .makeLogPartitions])
    }

    @Test func `surplus that was recorded is disowned in the tick that queues forgotten deletes`() {
        let chores = Chore.due(at: 13, of: Self.tick)
        #expect(Array(chores.dropLast(3)) == [.disownRecordedSurplus, .queueForgottenDeletes])
    }

    /// An hour has 7200 ticks. Each case gives a chore and how often it is done.
    private static let anHour: [(chore: Chore, times: Int)] = [
        (.readStrayNames, 720),
        (.watchNodeLocks, 3600),
        (.disownRecordedSurplus, 720),
        (.forgetDeadNodes, 60),
        (.makeLogPartitions, 1),
        (.forgetWaitingPeople, 720),
        (.endOldQuarantine, 60),
        (.closeProvenBreakers, 720),
        (.letWaitingJobsGo, 1800),
        (.forgetSlices, 60),
        (.cutPauses, 1),
        (.cutDueTimes, 1),
        (.rollTally, 60),
        (.forgetTally, 60),
        (.forgetDeletedSources, 720),
        (.dropOldLog, 1),
        (.forgetOldLogRows, 60),
        (.forgetOldEvents, 360),
        (.overwriteClosedCredentials, 360),
        (.forgetRemains, 6),
        (.rollMinutes, 360),
        (.forgetHours, 60),
        (.forgetFindings, 60),
        (.queueForgottenDeletes, 720),
        (.queueForgottenUsers, 720),
        (.tellOfStoppedDeletes, 60),
        (.rotateExpiring, 6),
        (.queueDueJobs, 7200),
        (.rescueExpiredLeases, 7200),
        (.rescueJobsOfDeadNodes, 7200),
    ]

    @Test func `every chore is done as often in an hour as its interval says`() {
        #expect(Self.anHour.map(\.chore) == Chore.allCases)
        for (chore, times) in Self.anHour {
            #expect(Self.turns(of: chore.schedule, in: 7200).count == times, "\(chore)")
        }
    }

    @Test func `two chores that are seldom done never meet in one tick`() {
        for tick in 0..<7200 {
            let chores = Chore.due(at: tick, of: Self.tick)
            #expect(!chores.contains(.forgetDeadNodes) || !chores.contains(.makeLogPartitions), "tick \(tick)")
            #expect(!chores.contains(.forgetDeadNodes) || !chores.contains(.queueForgottenDeletes), "tick \(tick)")
        }
    }

    @Test func `all leases are looked at in the first tick and every half minute`() {
        #expect(Self.turns(of: Chore.wholeRescue, in: 150) == [0, 60, 120])
    }

    private static func turns(of schedule: Schedule, in ticks: Int) -> [Int] {
        (0..<ticks).filter { schedule.isDue(at: $0, of: Self.tick) }
    }
}
