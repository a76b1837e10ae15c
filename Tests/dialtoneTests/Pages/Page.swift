// SPDX-License-Identifier: Apache-2.0
// A page of docs/sources, as its reader finds it: headings, blocks of code, commands, and the table of events.

import Foundation
import Testing

struct Page {
    /// A block between fences.
    struct Block {
        let language: String
        let text: String
    }

    /// A row of the table of events: the names in its first cell, and the words in its second one.
    struct Row {
        let names: Set<String>
        let words: Set<String>
        /// The sender's event has no word here.
        var isIgnored: Bool { self.words.isEmpty }
    }

    /// The pages and their presets.
    static let presets: [String: [String]] = [
        "auth0": ["auth0", "auth0-logs"], "clerk": ["clerk"], "cloudevents": ["cloudevents"], "cognito": ["cognito"],
        "keycloak": ["keycloak"], "okta": ["okta"], "standard": ["standard"],
        "stytch": ["stytch", "stytch-consumer"], "supabase": ["supabase-db", "supabase-hook"], "svix": ["svix"],
        "workos": ["workos"],
    ]

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    let name: String
    let text: String

    init(_ name: String) throws {
        self.name = name
        self.text = try String(
            contentsOf: Self.repository.appendingPathComponent("docs/sources/\(name).md"), encoding: .utf8)
    }

    /// Every page of the folder.
    static func all() throws -> [Page] {
        let folder = Self.repository.appendingPathComponent("docs/sources").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        return try files.filter { $0.hasSuffix(".md") }.sorted().map { try Page(String($0.dropLast(3))) }
    }

    var lines: [Substring] { self.text.split(separator: "\n", omittingEmptySubsequences: false) }

    var blocks: [Block] {
        var blocks: [Block] = []
        var open: (language: String, lines: [Substring])?
        for line in self.lines {
            if let block = open {
                if line == "```" {
                    blocks.append(Block(language: block.language, text: block.lines.joined(separator: "\n")))
                    open = nil
                } else {
                    open?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                open = (String(line.dropFirst(3)), [])
            }
        }
        return blocks
    }

    /// The headings of the second order, in their order.
    var headings: [String] { self.lines.filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) } }

    /// The rows of the table whose head is that of the events.
    var rows: [Row] {
        var rows: [Row] = []
        var isTable = false
        for line in self.lines {
            if line.hasPrefix("| at ") {
                isTable = true
                continue
            }
            guard isTable, line.hasPrefix("|") else {
                isTable = false
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, !cells[1].hasPrefix("--") else { continue }
            let names = cells[0].matches(of: /`([^`]+)`/).map { String($0.output.1) }
            let words = cells[1].split(separator: ", ").map(String.init).filter { $0 != "–" }
            rows.append(Row(names: Set(names), words: Set(words)))
        }
        return rows
    }

    /// Every command of the program: in blocks, in indented lines and within text. A line that goes on is one command.
    var commands: [String] {
        let joined = self.text.replacing(#/ *\\\n */#, with: " ")
        let lines = joined.split(separator: "\n").compactMap { line -> String? in
            let command = line.drop { $0 == " " }
            guard command.hasPrefix("dialtone ") else { return nil }
            return String(command.split(separator: " # ", maxSplits: 1)[0])
        }
        return lines + joined.matches(of: /`(dialtone\s[^`]+)`/).map { String($0.output.1) }
    }
}
