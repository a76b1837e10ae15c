// SPDX-License-Identifier: Apache-2.0
// All figures of a run, as they are printed.

/// Rates are per second, times in milliseconds, memory in MiB, unless a figure says otherwise.
struct Report: Encodable {
    var rows: RowLimit?
    var accept: AcceptRate?
    var jobs: JobRate?
    var latency: IdleLatency?
    var driver: DriverRate?
    var footprint: Footprint?
    var shards: Shards?
    var fairness: Fairness?
    var recovery: Recovery?
    var bloat: Bloat?
    var budget: TokenBudget?
    var senders: Senders?
    var attacks: Attacks?
    var sweep: SweepCost?
    var outage: Outage?
    var failing: FailingCreates?
    var restart: Restart?
    var revoke: Revokes?
    var late: LateCreates?
    var million: Million?
    var queries: QueryTimes?
}
