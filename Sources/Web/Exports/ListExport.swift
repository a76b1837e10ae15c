// SPDX-License-Identifier: Apache-2.0
// All rows of a list but that of users, streamed page by page: the memory it takes does not grow with their number.

import Hummingbird
import NIOCore

/// A page of a list, and the cursor of the next one.
struct ListPage<Row: ListRow>: ExportPage {
    let rows: [Row]
    let next: String?

    var isEmpty: Bool { self.rows.isEmpty }
}

struct ListExport<Row: ListRow>: Sendable {
    let name: String
    let form: ExportForm
    let pages: ExportPages<ListPage<Row>>

    /// The first page is read before the answer begins, so that what is not there is a 404 here too.
    ///
    /// When a later page cannot be read, the key has ended or the caller has left, the connection is closed. The end is
    /// missing then, and the reader sees it.
    func response() async throws -> Response {
        let first = try await self.pages.next()
        return Response(
            status: .ok, headers: self.form.headers(of: self.name),
            body: ResponseBody { writer in
                var (page, pages) = first
                var rows = 0
                var text = self.form.heading(Row.columns)
                while true {
                    // The database reads the next page while this one is written.
                    let rest = page.next == nil ? nil : pages
                    async let following = rest?.next()
                    rows += page.rows.count
                    for row in page.rows { try self.form.append(row, to: &text) }
                    if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                    text = ""
                    guard let next = try await following else { break }
                    (page, pages) = next
                }
                let ending = self.form.ending(rows: rows)
                if !ending.isEmpty { try await writer.write(ByteBuffer(string: ending)) }
                try await writer.finish(ExportForm.trailers(rows: rows))
            })
    }
}
