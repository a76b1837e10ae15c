// SPDX-License-Identifier: Apache-2.0
// Every metric of one process, by name: what is counted on the way of a sign-up, and what a scrape reads.
//
// Whoever does the work counts it here, one line at the place where it is done. `docs/operations.md` has the table; a
// test holds it against this page.

package import Model

/// The metrics of one process.
package final class Measurements: Sendable {
    private let version: String

    // MARK: Webhook → event

    package let deliveries = Series<DeliveryOutcome, Counter> { Counter() }
    package let commitEvents = Histogram(Buckets.batch)
    package let commitDuration = Histogram(Buckets.latency)

    // MARK: Job → credential

    package let timeToCredential = Series<CredentialPath, Histogram> { Histogram(Buckets.story) }
    package let jobs = Series<JobState, Gauge> { Gauge() }
    package let oldestJobAge = Series<JobState, Gauge> { Gauge() }
    package let doubts = Series<DoubtCause, Counter> { Counter() }
    package let leasesRescued = Series<RescueReason, Counter> { Counter() }
    package let secondCredentials = Counter()
    package let surplusDeleted = Counter()
    /// Of the worker in this process; nil in a process without one.
    package let worker: WorkerPulse?

    // MARK: Provider, tokens, database

    package let providerCalls = Series<ProviderCall, Histogram> { Histogram(Buckets.call) }
    package let loginTokens = Series<LoginTokenResult, Counter> { Counter() }
    package let connections = Series<PoolConnections, Gauge> { Gauge() }
    package let poolWaits = Series<PoolName, Histogram> { Histogram(Buckets.latency) }
    package let eventLoopDelay = Histogram(Buckets.latency)

    package init(version: String = "", worker: WorkerPulse? = nil) {
        self.version = version
        self.worker = worker
    }

    // MARK: The page

    /// Returns the page of a scrape.
    package func text() -> String {
        var page = MetricsPage()
        self.writeIntake(to: &page)
        self.writeOnboarding(to: &page)
        self.writeProvider(to: &page)
        self.writePostgres(to: &page)
        self.writeProcess(to: &page)
        return page.text
    }

    private func writeIntake(to page: inout MetricsPage) {
        page.add("dialtone_deliveries_total", "Webhook deliveries by what became of them.", self.deliveries)
        page.add("dialtone_commit_events", "Events in one commit.", self.commitEvents)
        page.add("dialtone_commit_duration_seconds", "Time that one commit of events took.", self.commitDuration)
    }

    private func writeOnboarding(to page: inout MetricsPage) {
        page.add(
            "dialtone_time_to_credential_seconds", "Time from a sign-up's arrival until its credential was stored.",
            self.timeToCredential)
        page.add("dialtone_jobs", "Jobs in each state, counted up to 10001; NaN when not known.", self.jobs)
        page.add(
            "dialtone_oldest_job_age_seconds", "Age of the oldest job among those counted; NaN when not known.",
            self.oldestJobAge)
        page.add("dialtone_doubts_total", "Creates whose outcome was not known, by cause.", self.doubts)
        page.add(
            "dialtone_leases_rescued_total", "Jobs that were taken from a worker which did not finish them.",
            self.leasesRescued)
        page.add(
            "dialtone_second_credentials_total", "Credentials that were found beside the one that counts.",
            self.secondCredentials)
        page.add(
            "dialtone_surplus_deleted_total", "Second credentials that were deleted at the provider.",
            self.surplusDeleted)
        if let worker {
            page.addGauge(
                "dialtone_worker_turn_age_seconds", "Time since the worker's loop last came round.",
                worker.age / .seconds(1))
        }
    }

    private func writeProvider(to page: inout MetricsPage) {
        page.add(
            "dialtone_provider_request_duration_seconds", "Calls to the provider by operation and class of the answer.",
            self.providerCalls)
        page.add("dialtone_login_tokens_total", "Requests for a login token by result.", self.loginTokens)
    }

    private func writePostgres(to page: inout MetricsPage) {
        page.add("dialtone_postgres_connections", "Connections of each pool.", self.connections)
        page.add(
            "dialtone_postgres_pool_wait_seconds", "Time until a connection of the pool was lent.", self.poolWaits)
    }

    private func writeProcess(to page: inout MetricsPage) {
        page.add(
            "dialtone_event_loop_delay_seconds", "Time by which an event loop was late for its tick.",
            self.eventLoopDelay)
        page.addGauge("dialtone_build_info", "Always 1.", 1, [("version", self.version)])
        ProcessFacts.write(to: &page)
    }
}
