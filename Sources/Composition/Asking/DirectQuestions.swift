// SPDX-License-Identifier: Apache-2.0
// Asks the database itself, with the operator's settings.

import AsyncHTTPClient
import Directory
import Foundation
import Intake
import Model
import Onboarding
import Postgres
import ProviderLimits
import Schema

/// A tenant is read as that tenant, so the second wall stands here too.
struct DirectQuestions: Questions {
    let queries: Queries
    let pool: PostgresPool
    let administration: Administration

    private func reader(_ tenant: TenantID) -> Reader { Reader(tenant: tenant, seesShared: true) }

    func tenants() async throws -> [TenantEntry] {
        try await Tenants(pool: self.pool).list().map {
            TenantEntry($0)
        }
    }

    func users(_ list: UserList, after: String?, limit: Int) async throws -> Answer<UserEntry> {
        try await self.require(list.tenant)
        let place = try after.map { try UserPlace($0, of: list) }
        let page = try await self.queries.users.page(
            of: list, after: place, limit: limit, as: self.reader(list.tenant))
        return Answer(page.users, next: page.next?.cursor(of: list))
    }

    func count(_ list: UserList) async throws -> UserCount {
        try await self.queries.users.count(list, as: self.reader(list.tenant))
    }

    func user(_ user: UserKey) async throws -> UserEntry? {
        try await self.queries.users.show(user, as: self.reader(user.tenant))
    }

    func why(_ user: UserKey) async throws -> Why {
        try await self.require(user.tenant)
        return try await self.queries.reasons.why(user, as: self.reader(user.tenant))
    }

    func timeline(_ user: UserKey, after: String?, limit: Int) async throws -> LifeAnswer? {
        try await self.queries.timelines.page(user, after: after, limit: limit, as: self.reader(user.tenant))
            .map { LifeAnswer(data: $0.entries, next: $0.next, logFrom: $0.logFrom) }
    }

    func proof(_ user: UserKey) async throws -> Proof? {
        try await self.queries.proofs.ledger(user, as: self.reader(user.tenant))
    }

    func verify(_ user: UserKey) async throws -> Proof? {
        let settings = self.administration.settings
        guard let key = settings.telnyxKey else {
            throw SettingsError(problems: ["TELNYX_API_KEY is not set (or TELNYX_API_KEY_FILE)"])
        }
        guard let row = try await self.pool.query("select id from dialtone.installation").first else {
            throw SchemaError.behind(missing: 1)
        }
        let (api, http) = self.administration.provider(key, concurrency: 2)
        let verify = VerifyUser(
            proofs: self.queries.proofs,
            provider: ProviderQuestion(
                api: api, limits: ProviderLimits(pool: self.pool), installation: try row.decode(UUID.self),
                isWorkers: false))
        let result: Result<Proof?, any Error>
        do {
            result = .success(try await verify(user, as: self.reader(user.tenant)))
        } catch {
            result = .failure(error)
        }
        try? await http.shutdown()
        return try result.get()
    }

    func find(_ text: String, in tenant: TenantID) async throws -> [Found] {
        try await self.queries.finder.find(text, in: tenant, as: self.reader(tenant))
    }

    func events(
        of tenant: TenantID, _ filter: EventFilter, after: String?, limit: Int
    ) async throws -> Answer<ToldEvent> {
        let page = try await self.queries.events.page(
            of: tenant, filter, after: after, limit: limit, as: self.reader(tenant))
        return Answer(page.events, next: page.next)
    }

    func event(_ id: EventID, of tenant: TenantID) async throws -> ToldEvent? {
        try await self.queries.events.show(id, of: tenant, as: self.reader(tenant))
    }

    func refusals(of tenant: TenantID, source: String?) async throws -> [RefusalEntry] {
        try await self.queries.refusals.list(of: tenant, source: source, as: self.reader(tenant))
    }

    func jobs(of tenant: TenantID, state: JobState?, after: String?, limit: Int) async throws -> Answer<WaitingJob> {
        let page = try await self.queries.jobs.page(
            of: tenant, state: state, after: after, limit: limit, as: self.reader(tenant))
        return Answer(page.jobs, next: page.next)
    }

    func failures(of tenant: TenantID) async throws -> [FailureGroup] {
        try await self.queries.failures.groups(of: tenant, as: self.reader(tenant)).groups
    }

    func tags(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<TagEntry> {
        let page = try await self.queries.tags.page(of: tenant, after: after, limit: limit, as: self.reader(tenant))
        return Answer(page.tags, next: page.next)
    }

    func findings(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<FindingEntry> {
        let page = try await self.queries.tags.findings(
            of: tenant, after: after, limit: limit, as: self.reader(tenant))
        return Answer(page.findings, next: page.next)
    }

    func summary(of tenant: TenantID, hours: Int) async throws -> Summary? {
        try await self.queries.summaries.show(tenant, hours: hours, as: self.reader(tenant))
    }

    /// Cancelled here: nothing is open any more.
    func tail(_ tenant: TenantID, from place: String?, _ tell: @Sendable (Told) -> Void) async throws {
        try await self.require(tenant)
        let news = self.queries.news
        let now = try await news.now(as: self.reader(tenant))
        let named = place.flatMap { Int64($0) }.map { NewsPlace(microseconds: $0) }
        var told = News.Told(from: min(max(named ?? now, now.anHourBefore), now))
        while !Task.isCancelled {
            for item in try await news.next(of: tenant, after: &told, as: self.reader(tenant)) {
                tell(Told(place: "\(item.place.microseconds)", user: item.user, step: item.entry))
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// An empty list of a tenant that does not exist would look right.
    private func require(_ tenant: TenantID) async throws {
        guard try await Tenants(pool: self.pool).show(tenant) != nil else { throw SourceError.unknownTenant(tenant) }
    }
}
