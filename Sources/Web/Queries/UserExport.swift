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
    var now: @Sendable () -> ContinuousClock.Instant = { .now }

    /// Users that are read at once.
    private static let page = 1000

    /// The pages are read one after another, so what changes meanwhile may be in it or not. Each user who is there all
    /// the time is in it once.
    ///
    /// When a page cannot be read, the key has ended or the caller has left, the connection is closed. The end is
    /// missing then, and the reader sees it.
    var response: Response {
        let headers: HTTPFields = [
            .contentType: self.form.contentType, .cacheControl: "no-store", .vary: "Accept, Authorization",
            .contentDisposition: "attachment; filename=\"users.\(self.form == .csv ? "csv" : "ndjson")\"",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                // Three pages are in work: one is written, one is opened, and the database reads the next.
                var (page, pages) = try await self.pages.next()
                var (users, rows): ([UserEntry], Int) = ([], 0)
                var beginning = self.form.beginning
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
                var trailers = HTTPFields()
                trailers.set("dialtone-rows", "\(rows)")
                try await writer.finish(trailers)
            })
    }

    /// Returns the users in their form. `beginning` comes before the first of them, once.
    private func lines(of users: [UserEntry], after beginning: inout String) -> ByteBuffer {
        var text = beginning
        for user in users { self.form.append(user, to: &text) }
        beginning = ""
        return ByteBuffer(string: text)
    }

    private var pages: ExportPages {
        let (users, list, reader) = (self.users, self.list, self.asked.reader)
        return ExportPages(isStillOpen: self.asked.isStillOpen, now: self.now) { place in
            try await users.sealedPage(of: list, after: place, limit: Self.page, as: reader)
        }
    }
}

/// The pages of an export on which there is somebody, one after another, as long as the caller and its key are there.
struct ExportPages: Sendable {
    private let isStillOpen: @Sendable () async throws -> Bool
    private let now: @Sendable () -> ContinuousClock.Instant
    private let read: @Sendable (UserPlace?) async throws -> SealedPage
    private var place: UserPlace?
    private var checkedAt: ContinuousClock.Instant

    /// How long a key counts as open after it was looked at.
    private static let trust: Duration = .seconds(1)

    /// Begins with the first page. The key has just been looked at.
    init(
        isStillOpen: @escaping @Sendable () async throws -> Bool,
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        read: @escaping @Sendable (UserPlace?) async throws -> SealedPage
    ) {
        (self.isStillOpen, self.now, self.read) = (isStillOpen, now, read)
        self.checkedAt = now()
    }

    /// Returns the next page on which there is somebody, or the last one, and the pages that are left.
    ///
    /// Throws `CallerHasLeft` when the caller leaves, and `Problem.notFound` when the key has ended.
    ///
    /// A page of nobody writes nothing, so no write fails when the caller has left. Such pages are one piece of work,
    /// because each by itself would be done before the caller's grace is over.
    func next() async throws -> (page: SealedPage, rest: ExportPages) {
        try await CallerPresence.required { () async throws -> (page: SealedPage, rest: ExportPages) in
            var pages = self
            let page = try await pages.readOn()
            return (page, pages)
        }
    }

    private mutating func readOn() async throws -> SealedPage {
        while true {
            try Task.checkCancellation()
            let page = try await self.read(self.place)
            let time = self.now()
            if time - self.checkedAt >= Self.trust {
                guard try await self.isStillOpen() else { throw Problem.notFound }
                self.checkedAt = time
            }
            self.place = page.next
            if !page.users.isEmpty || page.next == nil { return page }
        }
    }
}
