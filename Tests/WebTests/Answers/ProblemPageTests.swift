// SPDX-License-Identifier: Apache-2.0
// Holds docs/http-api.md against the program: every code of a problem is explained there, and none is invented.

import Foundation
import Testing

@testable import Web

@Suite struct ProblemPageTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// No caller reads these two; the page says so in a sentence.
    private static let unseen: Set<String> = ["pending", "caller_left"]

    @Test func `the codes of the page are those of the program`() throws {
        let thrown = try Self.codesInSources()
        let documented = try Self.codesOnPage()
        #expect(thrown.count > 20, "the codes are not found any more")
        #expect(thrown.subtracting(Self.unseen).subtracting(documented).sorted() == [], "they have no row")
        #expect(documented.subtracting(thrown).sorted() == [], "nothing answers so")
    }

    @Test func `what the program says of a code is what the page says`() throws {
        let rows = try Self.rowsOnPage()
        #expect(rows == ProblemMeaning.all)
        #expect(
            ProblemMeaning.row(of: "method_not_allowed")?.page
                == "# method_not_allowed\n\nStatus: 405\n\nThe path is right and the method is not; see `Allow`.\n")
    }

    @Test func `the type of a problem is the path of its code`() {
        for code in ["unknown_parameter", "unavailable"] {
            let answer = Problem(400, code, "It is \"so\".").answer(requestID: "r")
            #expect(answer.body.hasPrefix("{\"type\":\"/problems/\(code)\","), "\(answer.body)")
        }
    }

    /// Every text that follows a status in a `Problem`, or in a problem that a command says.
    private static func codesInSources() throws -> Set<String> {
        let folder = Self.root.appendingPathComponent("Sources/Web")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
            .map { folder.appendingPathComponent($0) }
        let commands = Self.root.appendingPathComponent("Sources/dialtone/Output/CommandEnd.swift")
        var codes: Set<String> = []
        for file in files + [commands] {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/\(\s*(?:[0-9]{3}|code), "([a-z_]+)"/#) { codes.insert(String(match.1)) }
        }
        return codes
    }

    private static func codesOnPage() throws -> Set<String> { Set(try Self.rowsOnPage().map(\.code)) }

    /// The table under "Problems".
    private static func rowsOnPage() throws -> [ProblemMeaning.Row] {
        let page = try String(contentsOf: Self.root.appendingPathComponent("docs/http-api.md"), encoding: .utf8)
        let section = page.split(separator: "\n## Problems\n").last ?? ""
        let table = section.split(separator: "\n## ").first ?? ""
        return table.matches(of: #/\n\| `([a-z_]+)` \| ([^|]+) \| ([^|\n]+) \|/#).map {
            ProblemMeaning.Row(String($0.1), String($0.2), String($0.3))
        }
    }
}
