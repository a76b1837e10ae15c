// SPDX-License-Identifier: Apache-2.0
// The table of housekeeping: what time alone makes due, and how often it is done.

/// One piece of housekeeping. One tick does the chores that are due in the order of the cases.
enum Chore: CaseIterable, Sendable {
    /// Reads the names of strays, before anything is claimed.
    case readStrayNames
    /// Writes down which nodes hold their lock, so that a node that is gone can be told from one that lives.
    case watchNodeLocks
    /// Removes from surplus what was recorded as a credential meanwhile.
    case disownRecordedSurplus
    /// Removes the rows of workers that are gone and hold no job.
    case forgetDeadNodes
    /// Makes the log's partitions of today and of the two days after.
    case makeLogPartitions
    /// Removes people who have waited for a membership in vain.
    case forgetWaitingPeople
    /// Clears what is kept of events that nobody has settled in time.
    case endOldQuarantine
    /// Closes breakers whose last probe has worked, and that nothing has tried since.
    case closeProvenBreakers
    /// Queues jobs that were set aside for a scope that is stopped no more.
    case letWaitingJobsGo
    /// Forgets the budget's slices that are over.
    case forgetSlices
    /// Cuts pauses that the database's clock, when it went back, has made too long.
    case cutPauses
    /// Cuts due times that the clock has made too long.
    case cutDueTimes
    /// Adds counts of minutes that are two hours old to their hours.
    case rollTally
    /// Forgets counts of hours that are 14 days old.
    case forgetTally
    /// Deletes what deleted sources have told of people.
    case forgetDeletedSources
    /// Drops days of the log that are old.
    case dropOldLog
    /// Deletes old rows of the log for whose day there is no partition.
    case forgetOldLogRows
    /// Deletes old events that changed nothing and cannot be replayed.
    case forgetOldEvents
    /// Overwrites what is sealed of credentials that are no more.
    case overwriteClosedCredentials
    /// Forgets old surplus that was deleted, and what is left of people who were erased.
    case forgetRemains
    /// Adds counts of tenants' minutes that are two days old to their hours.
    case rollMinutes
    /// Forgets counts of tenants' hours that are 90 days old.
    case forgetHours
    /// Forgets what was put right 90 days ago.
    case forgetFindings
    /// Queues jobs for credentials to delete whose user has no job.
    case queueForgottenDeletes
    /// Queues jobs for users who are not as wanted and have none.
    case queueForgottenUsers
    /// Tells an operator while deletes are stopped.
    case tellOfStoppedDeletes
    /// Rotates credentials that will expire.
    case rotateExpiring
    /// Queues scheduled jobs whose time has come, and tries dead ones again.
    case queueDueJobs
    /// Puts jobs in doubt whose lease has run out.
    case rescueExpiredLeases
    /// Puts jobs in doubt whose worker is gone, without waiting for their leases.
    case rescueJobsOfDeadNodes

    /// Every chore may be repeated, so each worker follows this table alone. A pause is jittered, so an interval holds
    /// on average.
    var schedule: Schedule {
        switch self {
        case .readStrayNames: .every(.seconds(5))
        case .watchNodeLocks: .every(.seconds(1))
        case .disownRecordedSurplus: .every(.seconds(5), from: .milliseconds(1500))
        case .forgetDeadNodes: .every(.seconds(60), from: .milliseconds(3500))
        case .makeLogPartitions: .every(.seconds(3600))
        case .forgetWaitingPeople: .every(.seconds(5), from: .milliseconds(2500))
        case .endOldQuarantine: .every(.seconds(60), from: .milliseconds(4500))
        case .closeProvenBreakers: .every(.seconds(5), from: .milliseconds(3500))
        case .letWaitingJobsGo: .every(.seconds(2), from: .seconds(1))
        case .forgetSlices: .every(.seconds(60), from: .milliseconds(9500))
        case .cutPauses: .every(.seconds(3600), from: .milliseconds(11_500))
        case .cutDueTimes: .every(.seconds(3600), from: .milliseconds(16_500))
        case .rollTally: .every(.seconds(60), from: .milliseconds(5500))
        case .forgetTally: .every(.seconds(60), from: .milliseconds(7500))
        case .forgetDeletedSources: .every(.seconds(5), from: .milliseconds(3000))
        case .dropOldLog: .every(.seconds(3600), from: .milliseconds(8500))
        case .forgetOldLogRows: .every(.seconds(60), from: .milliseconds(9500))
        case .forgetOldEvents: .every(.seconds(10), from: .milliseconds(4000))
        case .overwriteClosedCredentials: .every(.seconds(10), from: .milliseconds(9000))
        case .forgetRemains: .every(.seconds(600), from: .milliseconds(14_500))
        case .rollMinutes: .every(.seconds(10), from: .seconds(2))
        case .forgetHours: .every(.seconds(60), from: .seconds(7))
        case .forgetFindings: .every(.seconds(60), from: .seconds(17))
        case .queueForgottenDeletes: .every(.seconds(5), from: .milliseconds(1500))
        case .queueForgottenUsers: .every(.seconds(5), from: .milliseconds(4000))
        case .tellOfStoppedDeletes: .every(.seconds(60), from: .seconds(2))
        case .rotateExpiring: .every(.seconds(600), from: .seconds(4))
        case .queueDueJobs: .everyTick
        case .rescueExpiredLeases: .everyTick
        case .rescueJobsOfDeadNodes: .everyTick
        }
    }

    /// How often `rescueExpiredLeases` looks at all leases, and not only at those that ended since its last turn. A
    /// server's clock may have gone back.
    static let wholeRescue: Schedule = .every(.seconds(30))

    /// Returns the chores of one tick, in their order.
    static func due(at tick: Int, of length: Duration) -> [Chore] {
        Self.allCases.filter { $0.schedule.isDue(at: tick, of: length) }
    }
}
