// SPDX-License-Identifier: Apache-2.0
// A job in the hands of a worker, as its claim has read it.

package import Foundation
package import Lifecycle
package import Model
import Postgres
package import Queue

package struct ClaimedJob: Sendable {
    package var lease: Lease
    package let user: UserKey
    package let connectionID: String
    /// The shard this user's credential goes to; nil when none had room, or none is needed.
    package var tag: String?
    package var life: JobLife

    /// How long the old credential may serve on, when this is a rotation.
    package var overlap: Duration?
    /// When the credential is to end, by the database's clock; nil: when the provider lets it.
    package var expiresAt: Date?
    /// When the event that made the job arrived; nil when it is not known.
    package var arrival: ArrivalTime?
    /// Whether the tenant's tags were not all listed since the server changed.
    var isUnseen = false
    /// Whether a credential of this name was seen: a list from before then proves no absence.
    var mustLook = false

    /// Whether the job must create, and no shard had a slot for it.
    var needsTag: Bool {
        self.tag == nil && self.life.recorded == nil && self.life.isWanted && self.life.phase == .armed
    }
}

extension ClaimedJob {
    /// What `read` reads, in its order: of the claimed job, of the ledger's trust, and the place in the queue.
    static let columns: SQL = """
        claimed.id, claimed.epoch, claimed.tenant_id, claimed.user_id, claimed.generation, claimed.tag,
        claimed.connection_id,
        claimed.wanted, claimed.wanted_generation, claimed.recorded, claimed.is_outdated, claimed.has_others,
        claimed.serves_for,
        claimed.in_doubt, claimed.attempts, claimed.crashes, claimed.failures,
        greatest(claimed.quiet_until,
                 case when not claimed.is_seen then incarnation.quiet_until end)
            - clock_timestamp() as quiet_in,
        claimed.overlap, clock_timestamp() + claimed.credential_life as expires_at,
        (date_part('epoch', clock_timestamp() - claimed.enqueued_at) * 1000000)::bigint as waited_us,
        not claimed.is_seen as is_unseen, claimed.must_look,
        incarnation.is_stopped,
        claimed.place
        """

    /// Reads one row of a claim, and its place in the queue in microseconds.
    /// Every job waits, so that time comes as a number: an interval's text costs more to read.
    static func read(_ row: PostgresRow, state: JobState, worker: WorkerID) throws -> (job: ClaimedJob, place: Int64) {
        var columns = row.columns
        let lease = Lease(job: try columns.next(), epoch: try columns.next(), worker: worker, state: state)
        let user = UserKey(tenant: try columns.next(), user: try columns.next())
        let generation: Generation = try columns.next()
        let tag: String? = try columns.next()
        let connectionID: String = try columns.next()
        var life = JobLife(
            generation: generation, phase: state == .armed ? .armed : .looking,
            wanted: try columns.next(), wantedGeneration: try columns.next(), recorded: try columns.next(),
            isOutdatedButServing: try columns.next(), hasOtherGoals: try columns.next(),
            mayServeFor: try columns.next(),
            isDoubtful: try columns.next(), attempts: Int(try columns.next(Int32.self)),
            crashes: Int(try columns.next(Int32.self)), failures: Int(try columns.next(Int32.self)),
            quietIn: try columns.next())
        let overlap: Duration? = try columns.next()
        let expiresAt: Date? = try columns.next()
        let waited: Int64 = try columns.next()
        let (isUnseen, mustLook): (Bool, Bool) = (try columns.next(), try columns.next())
        life.trust = LedgerTrust(looksFirst: isUnseen || mustLook, isStopped: try columns.next())
        let place: Int64 = try columns.next()
        return (
            ClaimedJob(
                lease: lease, user: user, connectionID: connectionID, tag: tag, life: life, overlap: overlap,
                expiresAt: expiresAt, arrival: ArrivalTime(before: .microseconds(waited)), isUnseen: isUnseen,
                mustLook: mustLook),
            place
        )
    }
}
