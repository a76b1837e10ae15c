// SPDX-License-Identifier: Apache-2.0
// Asks a running service over HTTP, with the rights of a key.

import AsyncHTTPClient
import Directory
import Foundation
import Model
import NIOCore
import NIOHTTP1

struct RemoteQuestions: Questions {
    let api: ServiceAPI

    private struct Page<Element: Decodable & Sendable>: Decodable {
        var data: [Element]
        var next: String?
    }

    private static func path(_ tenant: TenantID, _ rest: String) -> String { "/v1/tenants/\(tenant)/\(rest)" }

    private static func path(_ user: UserKey, _ rest: String = "") -> String {
        Self.path(user.tenant, "users/\(PathPart.encoded(user.user.rawValue))\(rest)")
    }

    /// A list of a tenant that the key does not reach is no empty list.
    private func page<Element: Decodable & Sendable>(
        of type: Element.Type, _ path: String, _ query: [(String, String?)], tenant: TenantID
    ) async throws -> Answer<Element> {
        guard let page = try await self.api.call(Page<Element>.self, path, query) else {
            throw TenantNotReached(tenant: tenant)
        }
        return Answer(page.data, next: page.next)
    }

    func tenants() async throws -> [TenantEntry] {
        var all: [TenantEntry] = []
        var after: String?
        repeat {
            let query = [("limit", "200"), ("after", after)]
            guard let page = try await self.api.call(Page<TenantEntry>.self, "/v1/tenants", query) else { break }
            all += page.data
            after = page.next
        } while after != nil
        return all
    }

    func users(_ list: UserList, after: String?, limit: Int) async throws -> Answer<UserEntry> {
        let query =
            Self.query(list.filter) + [
                ("order", list.order == .id ? nil : list.order.rawValue), ("after", after), ("limit", "\(limit)"),
            ]
        return try await self.page(
            of: UserEntry.self, Self.path(list.tenant, "users"), query, tenant: list.tenant)
    }

    func count(_ list: UserList) async throws -> UserCount {
        let path = Self.path(list.tenant, "user-count")
        guard let count = try await self.api.call(UserCount.self, path, Self.query(list.filter)) else {
            throw TenantNotReached(tenant: list.tenant)
        }
        return count
    }

    private static func query(_ filter: UserFilter) -> [(String, String?)] {
        let status = filter.status.map(\.rawValue).sorted().joined(separator: ",")
        return [
            ("status", status.isEmpty ? nil : status), ("received_after", filter.receivedAfter.map(RFC3339.text)),
            ("received_before", filter.receivedBefore.map(RFC3339.text)), ("tag", filter.tag),
            ("source", filter.source), ("user_id", filter.id?.rawValue), ("user_id_prefix", filter.prefix),
            ("email", filter.email), ("sip_username", filter.sipUsername),
        ]
    }

    func user(_ user: UserKey) async throws -> UserEntry? { try await self.api.call(UserEntry.self, Self.path(user)) }

    func why(_ user: UserKey) async throws -> Why {
        struct Reason: Decodable { var why: Why }
        guard let reason = try await self.api.call(Reason.self, Self.path(user, "/why")) else {
            throw TenantNotReached(tenant: user.tenant)
        }
        return reason.why
    }

    func timeline(_ user: UserKey, after: String?, limit: Int) async throws -> LifeAnswer? {
        struct Steps: Decodable {
            var data: [TimelineEntry]
            var next: String?
            var log_from: Date?
        }
        let query = [("after", after), ("limit", "\(limit)")]
        return try await self.api.call(Steps.self, Self.path(user, "/timeline"), query)
            .map { LifeAnswer(data: $0.data, next: $0.next, logFrom: $0.log_from) }
    }

    func proof(_ user: UserKey) async throws -> Proof? {
        try await self.api.call(Proof.self, Self.path(user, "/proof"))
    }

    func verify(_ user: UserKey) async throws -> Proof? {
        try await self.api.call(Proof.self, Self.path(user, "/verify"), method: .POST)
    }

    func find(_ text: String, in tenant: TenantID) async throws -> [Found] {
        try await self.page(of: Found.self, Self.path(tenant, "find"), [("q", text)], tenant: tenant).data
    }

    func events(
        of tenant: TenantID, _ filter: EventFilter, after: String?, limit: Int
    ) async throws -> Answer<ToldEvent> {
        let outcome = filter.outcome.map(\.rawValue).sorted().joined(separator: ",")
        let query: [(String, String?)] = [
            ("outcome", outcome.isEmpty ? nil : outcome), ("user_id", filter.user?.rawValue),
            ("source", filter.source), ("received_after", filter.receivedAfter.map(RFC3339.text)),
            ("received_before", filter.receivedBefore.map(RFC3339.text)), ("after", after), ("limit", "\(limit)"),
        ]
        return try await self.page(of: ToldEvent.self, Self.path(tenant, "events"), query, tenant: tenant)
    }

    func event(_ id: EventID, of tenant: TenantID) async throws -> ToldEvent? {
        try await self.api.call(ToldEvent.self, Self.path(tenant, "events/\(id)"))
    }

    func refusals(of tenant: TenantID, source: String?) async throws -> [RefusalEntry] {
        try await self.page(
            of: RefusalEntry.self, Self.path(tenant, "refusals"), [("source", source)], tenant: tenant
        ).data
    }

    func jobs(of tenant: TenantID, state: JobState?, after: String?, limit: Int) async throws -> Answer<WaitingJob> {
        try await self.page(
            of: WaitingJob.self, Self.path(tenant, "jobs"),
            [("state", state?.rawValue), ("after", after), ("limit", "\(limit)")], tenant: tenant)
    }

    func failures(of tenant: TenantID) async throws -> [FailureGroup] {
        try await self.page(of: FailureGroup.self, Self.path(tenant, "failures"), [], tenant: tenant).data
    }

    func tags(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<TagEntry> {
        try await self.page(
            of: TagEntry.self, Self.path(tenant, "tags"), [("after", after), ("limit", "\(limit)")], tenant: tenant)
    }

    func findings(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<FindingEntry> {
        try await self.page(
            of: FindingEntry.self, Self.path(tenant, "findings"), [("after", after), ("limit", "\(limit)")],
            tenant: tenant)
    }

    func summary(of tenant: TenantID, hours: Int) async throws -> Summary? {
        try await self.api.call(Summary.self, Self.path(tenant, "summary"), [("hours", "\(hours)")])
    }

    /// A stream that is cut off is opened again where it was; the service says what has happened meanwhile.
    ///
    /// Cancelled here: the stream is closed.
    func tail(_ tenant: TenantID, from place: String?, _ tell: @Sendable (Told) -> Void) async throws {
        var last = place
        var tries = 0
        while !Task.isCancelled {
            do {
                var lines = ServerSentEvents()
                for try await bytes in try await self.api.open(Self.path(tenant, "stream"), lastID: last) {
                    tries = 0
                    for event in lines.take(Array(bytes.readableBytesView)) {
                        guard let told = Self.told(event) else { continue }
                        last = told.place
                        tell(told)
                    }
                }
            } catch let problem as ServiceProblem where problem.status < 500 && problem.status != 429 {
                throw problem.status == 404 ? TenantNotReached(tenant: tenant) : problem
            } catch {
                tries += 1
                if tries > 20 { throw error }
            }
            try await Task.sleep(for: .seconds(min(30, 1 << min(tries, 5))))
        }
    }

    private static func told(_ event: ServerSentEvents.Event) -> Told? {
        struct Body: Decodable {
            var user_id: String
            var step: TimelineEntry
        }
        guard let id = event.id, let body = try? ServiceAPI.decoder.decode(Body.self, from: Data(event.data.utf8))
        else {
            return nil
        }
        return Told(place: id, user: body.user_id, step: body.step)
    }
}

/// To this key there is no such tenant.
package struct TenantNotReached: Error, CustomStringConvertible {
    let tenant: TenantID
    package var description: String { "there is no tenant \(self.tenant), or the key does not reach it" }
}
