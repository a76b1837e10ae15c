// SPDX-License-Identifier: Apache-2.0
// How an installation is set up, over HTTP: a tenant, its sources and API keys, and the limits that hold all back.

import Access
import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Intake
import Model

struct SetUpController: Sendable {
    let tenants: VisibleTenants
    let reads: SetUpReads
    let now: @Sendable () -> Date

    func tenant(_ asked: TenantRequest) async throws -> Response {
        let (tenants, tenant, reader) = (self.tenants, asked.tenant, asked.reader)
        let entry = try await CallerPresence.required { try await tenants.show(tenant, as: reader) }
        guard let entry else { throw Problem.notFound }
        return try JSONAnswer.response(entry, to: asked.request)
    }

    func sources(_ asked: TenantRequest) async throws -> Response {
        try await self.sources("\(asked.tenant) sources", of: asked.tenant, for: .reader(asked.reader), asked.keyed)
    }

    /// Those that the key reaches.
    func allSources(_ asked: KeyedRequest) async throws -> Response {
        try await self.sources("sources", of: asked.wall, for: Onlooker(asked.caller), asked)
    }

    func keys(_ asked: TenantRequest) async throws -> Response {
        try await self.keys("\(asked.tenant) keys", of: asked.tenant, for: .reader(asked.reader), asked.keyed)
    }

    /// Those that the key reaches.
    func allKeys(_ asked: KeyedRequest) async throws -> Response {
        try await self.keys("keys", of: asked.wall, for: Onlooker(asked.caller), asked)
    }

    func limits(_ asked: KeyedRequest) async throws -> Response {
        let (read, onlooker) = (self.reads.limits, Onlooker(asked.caller))
        let limits = try await CallerPresence.required { try await read(onlooker) }
        return try JSONAnswer.ofMoment(Page(data: limits, next: nil))
    }

    // MARK: Pages

    private func sources(
        _ list: String, of tenant: TenantID?, for onlooker: Onlooker, _ asked: KeyedRequest
    ) async throws -> Response {
        let (sources, now, url) = (self.reads.sources, self.now(), self.reads.publicURL)
        let read = { @Sendable (place: [String]?, limit: Int) async throws -> [Source] in
            try await sources(onlooker, tenant, place.map { Source.Place(owner: $0[0], slug: $0[1]) }, limit)
        }
        return try await Self.page(of: list, named: "sources", placedBy: 2, asked, read: read) { source in
            [source.place.owner, source.place.slug]
        } answer: { source in
            SourceAnswer(source, at: now, under: url)
        }
    }

    private func keys(
        _ list: String, of tenant: TenantID?, for onlooker: Onlooker, _ asked: KeyedRequest
    ) async throws -> Response {
        let keys = self.reads.keys
        let read = { @Sendable (place: [String]?, limit: Int) async throws -> [APIKeyRecord] in
            try await keys(onlooker, tenant, place?[0], limit)
        }
        return try await Self.page(of: list, named: "keys", placedBy: 1, asked, read: read) { key in
            [key.id]
        } answer: { key in
            KeyAnswer(key)
        }
    }

    /// Answers with a page. `read` gets the place of the last entry before it, of so many parts, and how many entries to
    /// read.
    private static func page<Entry: Sendable, Shown: ListRow>(
        of list: String, named name: String, placedBy parts: Int, _ asked: KeyedRequest,
        read: @escaping @Sendable ([String]?, Int) async throws -> [Entry],
        place: @escaping @Sendable (Entry) -> [String], answer: @escaping @Sendable (Entry) -> Shown
    ) async throws -> Response {
        try await ListAnswer.response(to: asked, named: name) { after, limit in
            let start = try after.map { try ListCursor.place($0, of: list, count: parts) }
            let entries = try await read(start, limit + 1)
            let last: Entry? = entries.count > limit ? entries[limit - 1] : nil
            let next = last.map { ListCursor(list: list, place: place($0)).text }
            return (entries.prefix(limit).map(answer), next)
        }
    }
}
