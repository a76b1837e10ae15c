// SPDX-License-Identifier: Apache-2.0
// The sweep: tag by tag it compares what the provider has with the ledger, and repairs what differs.
//
// Some differences between ledger and provider cannot be prevented: a create that lands after everybody gave it up, a
// credential that somebody deletes at the provider, a commit that is lost with a server. The sweep finds them.
//
// There is no pass over everything. Each tag has its own due time (`DueTag`), and any worker takes the tags that are
// due. A visit (`TagVisit`) counts: one call with a page of one credential says how many the tag holds. It lists the
// tag for a reason: a claim waits for it, the ledger has not seen it in this era, the count differs, or the last list
// is a week old. `NextVisit` says when the tag is due again.
//
// A list proves presence only. `Visit` holds the calls and what they mean for the tag. `Difference` holds what each
// difference means (`Verdict`) and its repair (`SweepCorrections`). A visit that would take too much away from one tag
// takes nothing away there, and says so. A whole list that was dealt with makes its tag seen (`TenantTrust`).
//
// A name that nobody in the tag explains is a stray, and a walk over all users searches for its owner (`StrayOwners`).
// An operator's run (`SweepRun`) makes the same visits at once, with lists. It has the right of looks: it goes on while
// the workers' visits rest, and waits for what stops looks.

package import Foundation
import Lifecycle
package import Model
package import Postgres
package import ProviderLimits
package import Telnyx

/// What the visits of tags have in common.
package struct Sweep: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let names: CredentialName
    /// How long it takes until a list shows a new credential, and until a create that was sent has landed.
    let landingTime: Duration
    /// How long a worker's lease is.
    let lease: Duration
    let options: SweepOptions
    /// The least time from one visit of a tag to the next.
    let interval: Duration
    /// Random numbers in 0..<1.
    let random: @Sendable () -> Double
    /// Gets a line before a long wait.
    let tell: @Sendable (String) -> Void
    var time = PassingTime()

    package init(
        pool: PostgresPool, api: any TelephonyCredentialsAPI, limits: ProviderLimits, installation: UUID,
        lease: Duration, landingTime: Duration, options: SweepOptions, interval: Duration = .seconds(3600),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(
            pool: pool,
            // An operator waits for it, so its calls have the right of looks.
            provider: GuardedProvider(
                api: api, limits: limits, isWorkers: false, kind: .sweep, right: .looks,
                patience: CallPatience(options.patience, tell: tell)),
            names: CredentialName(installation: installation),
            lease: lease, landingTime: landingTime, options: options, interval: interval, random: random, tell: tell)
    }

    init(
        pool: PostgresPool, provider: GuardedProvider, names: CredentialName, lease: Duration, landingTime: Duration,
        options: SweepOptions, interval: Duration = .seconds(3600),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.pool = pool
        self.provider = provider
        self.names = names
        self.lease = lease
        self.landingTime = landingTime
        self.options = options
        self.interval = interval
        self.random = random
        self.tell = tell
    }

    /// Comes before each call of a visit. Throws `VisitStop` when the call may not be made.
    ///
    /// Cancelled here: the call is made at once, and its own cancellation ends the visit.
    func prepareCall(_ calls: inout VisitCalls) async throws {
        try calls.spend()
        guard try await self.provider.allowsCalls() else { throw VisitStop.heldBack }
        if self.options.pace > .zero { try? await Task.sleep(for: self.options.pace) }
    }

    /// Makes one visit, and writes when the next is due. A dry run writes nothing.
    ///
    /// Cancelled here: the tag is visited again two minutes after it was taken.
    func visit(_ tag: DueTag, isAsked: Bool, _ report: inout SweepReport) async throws -> TagVisit.Result {
        let result = try await TagVisit(sweep: self, tag: tag, isAsked: isAsked).run(&report)
        guard !self.options.isDryRun else { return result }
        let next = NextVisit(period: tag.period, landingTime: self.landingTime, random: self.random())
        let delay = next.delay(after: result.outcome, failures: tag.failures)
        try await self.inOneTransaction(VisitEnd(tag: tag, outcome: result.outcome, delay: delay).statements)
        return result
    }
}
