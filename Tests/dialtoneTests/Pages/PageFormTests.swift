// SPDX-License-Identifier: Apache-2.0
// Holds the senders' pages to their form: a page for each preset, the same headings, commands that exist.

import Foundation
import Testing

@Suite struct PageFormTests {
    @Test func `each preset has a page that names it and makes a source with it`() throws {
        let folder = Page.repository.appendingPathComponent("Sources/Intake/Presets").path
        let presets = try FileManager.default.contentsOfDirectory(atPath: folder).map { String($0.dropLast(5)) }
        #expect(Set(presets) == Set(Page.presets.values.joined()))
        for (name, presets) in Page.presets {
            let page = try Page(name)
            let made = page.commands.filter { $0.hasPrefix("dialtone source create ") }
            for preset in presets {
                #expect(page.text.contains("`\(preset)`"), "\(name) names \(preset)")
                let isMade = made.contains { "\($0) ".contains(" --preset \(preset) ") }
                #expect(isMade || preset == "standard" && !made.isEmpty, "\(name) makes a source of \(preset)")
            }
        }
    }

    @Test func `each sender's page has the four headings, and is short`() throws {
        for name in Page.presets.keys {
            let page = try Page(name)
            let headings = page.headings
            #expect(headings.first?.hasPrefix("At ") == true, "\(name): \(headings)")
            #expect(
                headings.dropFirst() == ["Here", "What to expect", "What it cannot tell us"], "\(name): \(headings)")
            #expect(page.lines.count <= 121, "\(name) has \(page.lines.count) lines")
        }
    }

    @Test func `each page says how a refusal is found, who is asked a token for, and which URL is printed`() throws {
        for page in try Page.presets.keys.sorted().map({ try Page($0) }) {
            let text = page.text
            for link in [
                "README.md#when-nothing-becomes-of-an-event", "README.md#a-sender-is-refused-how-do-i-see-why",
                "README.md#what-the-tables-say", "../../README.md#login-token", "`--at`",
                "dialtone source check --source ",
                "dialtone event list --quarantined --source ", "fter mending",
            ] where page.name != "standard" || !link.contains("quarantined") {
                #expect(text.contains(link), "\(page.name): \(link)")
            }
            let address = try #require(text.firstRange(of: "DIALTONE_PUBLIC_URL"), "\(page.name)")
            let create = try #require(text.firstRange(of: "dialtone source create "), "\(page.name)")
            #expect(address.lowerBound < create.lowerBound, "\(page.name) names the address after it was printed")
            #expect(text.contains("`dialtone source list`"), "\(page.name)")
            #expect(text.contains("dialtone event list --refused --source "), "\(page.name)")
            for block in page.blocks where block.language == "sh" {
                for made in block.text.matches(of: /source create (\S+)[^\n]*?( --tenant acme)?(?=\n|$)/) {
                    let source = "--source \(made.output.1)\(made.output.2 ?? "")"
                    #expect(text.contains(source), "\(page.name): \(source)")
                }
            }
        }
    }

    @Test func `each word of the pages' tables is explained in the list of senders`() throws {
        let list = try Page("README").text
        for name in Page.presets.keys.sorted() {
            for word in try Page(name).rows.flatMap(\.words) {
                #expect(list.contains("\n| \(word) |"), "\(name): \(word)")
            }
        }
    }

    @Test func `the list of senders leads to every page`() throws {
        let list = try Page("README").text
        for page in try Page.all() where page.name != "README" {
            #expect(list.contains("](\(page.name).md)"), "\(page.name)")
        }
    }

    @Test func `the pages' commands and options are those of the program`() async throws {
        var helps = HelpPages()
        var commands = 0
        for page in try Page.all() {
            for command in page.commands {
                commands += 1
                for fault in try await helps.faults(of: command) { Issue.record("\(page.name): \(fault): \(command)") }
            }
        }
        #expect(commands > 60, "the pages' commands are not found any more")
    }

    @Test(arguments: ["dialtone source crate x", "dialtone source map add x y --own z", "dialtone sauce list"])
    func `a command that does not exist is found`(command: String) async throws {
        var helps = HelpPages()
        #expect(try await !helps.faults(of: command).isEmpty)
    }
}

/// The program's own help, asked for once for each command.
private struct HelpPages {
    private var known: [[String]: String] = [:]

    /// Returns what the program does not know of a command.
    mutating func faults(of command: String) async throws -> [String] {
        let words = command.split(whereSeparator: \.isWhitespace).map(String.init).dropFirst()
        var path: [String] = []
        var help = try await self.help(path)
        for word in words where !Self.subcommands(help).isEmpty {
            guard Self.subcommands(help).contains(word) else { return ["there is no command \(path + [word])"] }
            path.append(word)
            help = try await self.help(path)
        }
        let options = words.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
        return options.filter { option in
            !help.split(whereSeparator: { !$0.isLetter && $0 != "-" }).contains(Substring(option))
        }.map { "\(path) has no \($0)" }
    }

    private mutating func help(_ path: [String]) async throws -> String {
        if let help = self.known[path] { return help }
        let help = try await Program.run(path + ["--help"]).output
        self.known[path] = help
        return help
    }

    private static func subcommands(_ help: String) -> [String] {
        guard let list = help.split(separator: "SUBCOMMANDS:\n", maxSplits: 1).dropFirst().first else { return [] }
        return list.split(separator: "\n").compactMap { line in
            line.wholeMatch(of: #/ {2}([a-z-]+)(?: .*)?/#).map { String($0.output.1) }
        }
    }
}
