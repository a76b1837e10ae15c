// SPDX-License-Identifier: Apache-2.0
// All users of a list, streamed page by page: the memory it takes does not grow with their number.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

struct UserExport: Sendable {
    let users: Users
    let list: UserList
    let form: ExportForm
    let asked: TenantRequest

    /// Users that are read at once, and pages after which the key is looked at again.
    private static let (page, pagesOfKey) = (1000, 20)

    /// The pages are read one after another, so what changes meanwhile may be in it or not. Each user who is there all
    /// the time is in it once.
    ///
    /// When a page cannot be read or the key has ended, the connection is closed: the end is missing then, and the reader sees it.
    var response: Response {
        let headers: HTTPFields = [
            .contentType: self.form.contentType, .cacheControl: "no-store", .vary: "Accept, Authorization",
            .contentDisposition: "attachment; filename=\"users.\(self.form == .csv ? "csv" : "ndjson")\"",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                var (rows, pages) = (0, 0)
                var text = self.form.beginning
                var place: UserPlace?
                repeat {
                    let page = try await self.users.page(
                        of: self.list, after: place, limit: Self.page, withReasons: false, as: self.asked.reader)
                    pages += 1
                    if pages % Self.pagesOfKey == 0, try await !self.asked.isStillOpen() { throw Problem.notFound }
                    for user in page.users { self.form.append(user, to: &text) }
                    rows += page.users.count
                    place = page.next
                    if place == nil { text += self.form.ending(rows: rows) }
                    if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                    text = ""
                } while place != nil
                var trailers = HTTPFields()
                trailers.set("dialtone-rows", "\(rows)")
                try await writer.finish(trailers)
            })
    }
}
