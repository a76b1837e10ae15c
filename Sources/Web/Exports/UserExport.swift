// SPDX-License-Identifier: Apache-2.0
// All users of a list, streamed page by page: the memory it takes does not grow with their number.

import Directory
import Foundation
import Hummingbird
import Model
import NIOCore

struct UserExport: Sendable {
    let users: Users
    let list: UserList
    let form: ExportForm
    let asked: TenantRequest
    var now: @Sendable () -> ContinuousClock.Instant = { .now }

    /// Users that are read at once.
    private static let page = 1000

    /// The pages are read one after another, so what changes meanwhile may be in it or not. Each user who is there all
    /// the time is in it once.
    ///
    /// When a page cannot be read, the key has ended or the caller has left, the connection is closed. The end is
    /// missing then, and the reader sees it.
    var response: Response {
        Response(
            status: .ok, headers: self.form.headers(of: "users"),
            body: ResponseBody { writer in
                // Three pages are in work: one is written, one is opened, and the database reads the next.
                var (page, pages) = try await self.pages.next()
                var (users, rows): ([UserEntry], Int) = ([], 0)
                var beginning = self.form.heading(ExportForm.userColumns)
                while true {
                    let (sealed, rest) = (page, page.next == nil ? nil : pages)
                    async let following = rest?.next()
                    async let opened = self.users.open(sealed)
                    if !users.isEmpty { try await writer.write(self.lines(of: users, after: &beginning)) }
                    users = try await opened
                    rows += users.count
                    guard let next = try await following else { break }
                    (page, pages) = next
                }
                var last = self.lines(of: users, after: &beginning)
                last.writeString(self.form.ending(rows: rows))
                if last.readableBytes > 0 { try await writer.write(last) }
                try await writer.finish(ExportForm.trailers(rows: rows))
            })
    }

    /// Returns the users in their form. `beginning` comes before the first of them, once.
    private func lines(of users: [UserEntry], after beginning: inout String) -> ByteBuffer {
        var text = beginning
        for user in users { self.form.append(user, to: &text) }
        beginning = ""
        return ByteBuffer(string: text)
    }

    private var pages: ExportPages<SealedPage> {
        let (users, list, reader) = (self.users, self.list, self.asked.reader)
        return ExportPages(isStillOpen: self.asked.keyed.isStillOpen, now: self.now) { place in
            try await users.sealedPage(of: list, after: place, limit: Self.page, as: reader)
        }
    }
}

extension SealedPage: ExportPage {
    var isEmpty: Bool { self.users.isEmpty }
}
