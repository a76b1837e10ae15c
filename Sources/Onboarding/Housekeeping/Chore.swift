// SPDX-License-Identifier: Apache-2.0
// The table of housekeeping: what time alone makes due, and how often it is done.

/// One piece of housekeeping. One tick does the chores that are due in the order of the cases.
enum Chore: CaseIterable, Sendable {
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
    /// Adds counts of minutes that are two hours old to their hours.
    case rollTally
    /// Forgets counts of hours that are 14 days old.
    case forgetTally
    /// Deletes what deleted sources have told of people.
    case forgetDeletedSources
    /// Queues jobs for credentials to delete whose user has no job.
    case queueForgottenDeletes
    /// Tells an operator while deletes are stopped.
    case tellOfStoppedDeletes
    /// Rotates credentials that will expire.
    case rotateExpiring
    /// Queues scheduled jobs whose time has come.
    case queueDueJobs
    /// Puts jobs in doubt whose lease has run out.
    case rescueExpiredLeases
    /// Puts jobs in doubt whose worker is gone, without waiting for their leases.
    case rescueJobsOfDeadNodes

    /// Every chore may be repeated, so each worker follows this table alone. A pause is jittered, so an interval holds
    /// on average.
    var schedule: Schedule {
        switch self {
        case .watchNodeLocks: .every(.seconds(1))
        case .disownRecordedSurplus: .every(.seconds(5), from: .milliseconds(1500))
        case .forgetDeadNodes: .every(.seconds(60), from: .milliseconds(3500))
        case .makeLogPartitions: .every(.seconds(3600))
        case .forgetWaitingPeople: .every(.seconds(5), from: .milliseconds(2500))
        case .endOldQuarantine: .every(.seconds(60), from: .milliseconds(4500))
        case .closeProvenBreakers: .every(.seconds(5), from: .milliseconds(3500))
        case .rollTally: .every(.seconds(60), from: .milliseconds(5500))
        case .forgetTally: .every(.seconds(60), from: .milliseconds(7500))
        case .forgetDeletedSources: .every(.seconds(5), from: .milliseconds(3000))
        case .queueForgottenDeletes: .every(.seconds(5), from: .milliseconds(1500))
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
