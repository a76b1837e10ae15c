// SPDX-License-Identifier: Apache-2.0
// A tenant as a whole over HTTP: its events and refusals, its jobs and failures, its tags, and a summary.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model

struct TenantController: Sendable {
    let queries: Queries

    func tenants(_ asked: KeyedRequest) async throws -> Response {
        let tenants = self.queries.tenants
        return try await ListAnswer.response(to: asked, named: "tenants") { after, limit in
            let page = try await tenants.page(
                for: asked.caller, comparesTenants: asked.comparesTenants, after: after, limit: limit)
            return (page.tenants, page.next)
        }
    }

    func events(_ asked: TenantRequest) async throws -> Response {
        let filter = try EventQuery.filter(asked.query)
        let events = self.queries.events
        return try await ListAnswer.response(to: asked.keyed, named: "events") { after, limit in
            let page = try await events.page(of: asked.tenant, filter, after: after, limit: limit, as: asked.reader)
            return (page.events, page.next)
        }
    }

    func event(_ asked: TenantRequest) async throws -> Response {
        guard let id = UUID(uuidString: try asked.path("event")) else { throw Problem.notFound }
        let events = self.queries.events
        let event = try await CallerPresence.required {
            try await events.show(EventID(rawValue: id), of: asked.tenant, as: asked.reader)
        }
        guard let event else { throw Problem.notFound }
        return try JSONAnswer.response(event, to: asked.request)
    }

    func refusals(_ asked: TenantRequest) async throws -> Response {
        let source = try asked.query.text("source")
        let refusals = self.queries.refusals
        let list = try await CallerPresence.required {
            try await refusals.list(of: asked.tenant, source: source, as: asked.reader)
        }
        return try JSONAnswer.response(Page(data: list, next: nil), to: asked.request)
    }

    func jobs(_ asked: TenantRequest) async throws -> Response {
        let state = try asked.query.word("state", of: JobState.self)
        let jobs = self.queries.jobs
        return try await ListAnswer.response(to: asked.keyed, named: "jobs") { after, limit in
            let page = try await jobs.page(
                of: asked.tenant, state: state, after: after, limit: limit, as: asked.reader)
            return (page.jobs, page.next)
        }
    }

    func failures(_ asked: TenantRequest) async throws -> Response {
        let failures = self.queries.failures
        let answer = try await CallerPresence.required {
            try await failures.groups(of: asked.tenant, as: asked.reader)
        }
        return try JSONAnswer.response(Groups(data: answer.groups, exact: answer.isWhole), to: asked.request)
    }

    func tags(_ asked: TenantRequest) async throws -> Response {
        let tags = self.queries.tags
        return try await ListAnswer.response(to: asked.keyed, named: "tags") { after, limit in
            let page = try await tags.page(of: asked.tenant, after: after, limit: limit, as: asked.reader)
            return (page.tags, page.next)
        }
    }

    func findings(_ asked: TenantRequest) async throws -> Response {
        let tags = self.queries.tags
        return try await ListAnswer.response(to: asked.keyed, named: "findings") { after, limit in
            let page = try await tags.findings(of: asked.tenant, after: after, limit: limit, as: asked.reader)
            return (page.findings, page.next)
        }
    }

    func summary(_ asked: TenantRequest) async throws -> Response {
        let hours = try asked.query.number("hours", in: 1...Summaries.mostHours) ?? 24
        let summaries = self.queries.summaries
        let summary = try await CallerPresence.required {
            try await summaries.show(asked.tenant, hours: hours, as: asked.reader)
        }
        guard let summary else { throw Problem.notFound }
        return try JSONAnswer.ofMoment(summary)
    }

    func find(_ asked: TenantRequest) async throws -> Response {
        guard let text = try asked.query.text("q") else {
            throw Problem(400, "invalid_value", "q is needed: an id, an e-mail address or a SIP username")
        }
        let finder = self.queries.finder
        let found = try await CallerPresence.required {
            try await finder.find(text, in: asked.tenant, as: asked.reader, with: asked.keyed.caller.scopes)
        }
        return try JSONAnswer.response(Page(data: found, next: nil), to: asked.request)
    }

    private struct Groups: Encodable {
        var data: [FailureGroup]
        /// Whether all failed users were grouped.
        var exact: Bool
    }
}
