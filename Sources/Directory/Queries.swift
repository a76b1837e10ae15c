// SPDX-License-Identifier: Apache-2.0
// Every question that a tenant may ask of the ledger, each a value with its verbs.

package import Vault

package struct Queries: Sendable {
    package let tenants: VisibleTenants
    package let users: Users
    package let reasons: Reasons
    package let timelines: Timelines
    package let proofs: Proofs
    package let finder: Finder
    package let events: Events
    package let refusals: Refusals
    package let jobs: Jobs
    package let failures: Failures
    package let news: News
    package let summaries: Summaries
    package let tags: Tags

    package init(reads: TenantReads, vault: Vault) {
        self.tenants = VisibleTenants(reads: reads)
        self.users = Users(reads: reads, vault: vault)
        self.reasons = Reasons(reads: reads)
        self.timelines = Timelines(reads: reads)
        self.proofs = Proofs(reads: reads)
        self.finder = Finder(reads: reads, vault: vault)
        self.events = Events(reads: reads)
        self.refusals = Refusals(reads: reads)
        self.jobs = Jobs(reads: reads)
        self.failures = Failures(reads: reads)
        self.news = News(reads: reads)
        self.summaries = Summaries(reads: reads)
        self.tags = Tags(reads: reads)
    }
}
