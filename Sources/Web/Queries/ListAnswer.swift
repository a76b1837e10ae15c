// SPDX-License-Identifier: Apache-2.0
// A list over HTTP: one page of it as JSON, or all of it where `Accept` asks for an export.

import Hummingbird
import Model

enum ListAnswer {
    /// Returns up to so many rows, and the cursor of the next page; `after` is the cursor of an earlier one.
    typealias Read<Row: ListRow> =
        @Sendable (_ after: String?, _ limit: Int) async throws -> (
            rows: [Row], next: String?
        )

    /// Rows that an export reads at once: the most of a page.
    private static let exported = QueryParameters.mostRows

    /// `name` is that of the file in which an export is saved.
    static func response<Row: ListRow>(
        to asked: KeyedRequest, named name: String, _ read: @escaping Read<Row>
    ) async throws -> Response {
        if let export = try await Self.export(asked, named: name, read) { return export }
        let (limit, after) = (try asked.query.limit(), asked.query["after"])
        let page = try await Cursors.checked { try await read(after, limit) }
        return try JSONAnswer.response(Page(data: page.rows, next: page.next), to: asked.request, next: page.next)
    }

    /// Returns nil when a page is asked for.
    static func export<Row: ListRow>(
        _ asked: KeyedRequest, named name: String, _ read: @escaping Read<Row>
    ) async throws -> Response? {
        guard let form = try Self.exportForm(asked) else { return nil }
        let pages = ExportPages<ListPage<Row>>(isStillOpen: asked.isStillOpen, now: { .now }) { after in
            let page = try await read(after, Self.exported)
            return ListPage(rows: page.rows, next: page.next)
        }
        return try await ListExport(name: name, form: form, pages: pages).response()
    }

    /// Returns nil when a page is asked for. Throws 400 for an export of a part.
    static func exportForm(_ asked: KeyedRequest) throws -> ExportForm? {
        guard let form = ExportForm(asked.request.headers[values: .accept]) else { return nil }
        for name in ["limit", "after"] where asked.query[name] != nil {
            throw Problem(400, "unknown_parameter", "\(name) has no meaning in an export, which is of the whole list")
        }
        return form
    }
}
