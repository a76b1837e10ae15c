// SPDX-License-Identifier: Apache-2.0
// An export of a list shows its end when all of it was written, and only then.

import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Synchronization
import Testing

@testable import Directory
@testable import Web

@Suite struct ListExportTests {
    @Test(arguments: ExportForm.allCases)
    func `pages follow each other, empty ones too, and the end tells their rows`(form: ExportForm) async throws {
        let written = Written()
        let body = try await Self.export(form, [3, 0, 2, 0]).response().body
        try await body.write(written)
        let lines = written.text.split(whereSeparator: \.isNewline)
        let row = form == .csv ? "t-" : "{\"at\":"
        #expect(lines.count { $0.contains(row) || $0.contains("t-") } == 5)
        #expect(form == .csv ? lines[0].hasPrefix("at,kind,") : lines.last == "{\"end\":true,\"rows\":5}")
        #expect(written.rows == "5")
    }

    @Test(arguments: ExportForm.allCases) func `an empty list has an end too`(form: ExportForm) async throws {
        let written = Written()
        let body = try await Self.export(form, [0]).response().body
        try await body.write(written)
        #expect(written.text == form.heading(FindingEntry.columns) + form.ending(rows: 0) && written.rows == "0")
    }

    @Test(arguments: ExportForm.allCases)
    func `when a later page cannot be read, no end is written`(form: ExportForm) async throws {
        let written = Written()
        let body = try await Self.export(form, [3, nil]).response().body
        await #expect(throws: Unreadable.self) { try await body.write(written) }
        #expect(!written.text.contains("\"end\"") && written.rows == nil)
    }

    @Test func `when the first page cannot be read, there is no answer of status 200`() async throws {
        await #expect(throws: Unreadable.self) { try await Self.export(.csv, [nil]).response() }
    }

    @Test func `when the key was revoked meanwhile, no end is written`() async throws {
        let clock = HandClock()
        let written = Written()
        let body = try await Self.export(.lines, [3, 3], isStillOpen: { false }, on: clock).response().body
        clock.advance(by: .seconds(2))
        await #expect(throws: Problem.notFound) { try await body.write(written) }
        #expect(!written.text.contains("\"end\"") && written.rows == nil)
    }

    private struct Unreadable: Error {}

    /// Pages of so many rows each; nil: such a page cannot be read.
    private static func export(
        _ form: ExportForm, _ pages: [Int?], isStillOpen: @escaping @Sendable () async throws -> Bool = { true },
        on clock: HandClock = HandClock()
    ) -> ListExport<FindingEntry> {
        let pages = ExportPages<ListPage<FindingEntry>>(isStillOpen: isStillOpen, now: { clock.now }) { after in
            let place = after.flatMap { Int($0) } ?? 0
            guard let count = pages[place] else { throw Unreadable() }
            let rows = (0..<count).map { number in
                FindingEntry(
                    at: .distantPast, kind: "stray", userID: nil, generation: nil, credentialID: "t-\(number)", tag: nil
                )
            }
            return ListPage(rows: rows, next: place + 1 < pages.count ? "\(place + 1)" : nil)
        }
        return ListExport(name: "findings", form: form, pages: pages)
    }
}

/// What was written of a body. The mutex guards it.
private final class Written: ResponseBodyWriter, Sendable {
    private let state = Mutex((text: "", rows: String?.none))

    var text: String { self.state.withLock { $0.text } }
    /// The trailer; nil: the body was not finished.
    var rows: String? { self.state.withLock { $0.rows } }

    func write(_ buffer: ByteBuffer) async throws {
        self.state.withLock { $0.text += String(buffer: buffer) }
    }

    func finish(_ trailers: HTTPFields?) async throws {
        self.state.withLock { $0.rows = trailers?.first { $0.name.rawName == "dialtone-rows" }?.value }
    }
}
