// SPDX-License-Identifier: Apache-2.0
// A reader who follows a page of docs/sources on a new installation, and the page's sender.

import Foundation
import Postgres
import TestSupport
import Testing

struct PageVisit {
    /// A source that the page's lines have made.
    struct Source {
        let name: String
        let url: String
        /// What the sender signs with.
        var secret: String
    }

    /// Made by a sender who makes secrets. Proofs that take text take it whole.
    static let sendersSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Programs")

    let page: Page
    let desk: Desk
    private(set) var sources: [Source] = []
    /// Beside the reader's own environment.
    var variables: [String: String] = [:]

    /// Lends a reader with an installation as the README sets it up: the tenant acme, and a service that runs.
    static func with(_ name: String, _ work: (inout PageVisit) async throws -> Void) async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            desk.environment["DIALTONE_PUBLIC_URL"] = ready["listen"]
            var visit = PageVisit(page: try Page(name), desk: desk)
            try await work(&visit)
        }
    }

    // MARK: The reader

    /// Runs the page's commands in their order. `other` runs its blocks in other languages, where they stand.
    mutating func follow(
        _ other: (inout PageVisit, Page.Block) async throws -> Void = { _, _ in }
    ) async throws {
        for block in self.page.blocks {
            if block.language == "sh" { try await self.runCommands(block.text) } else { try await other(&self, block) }
        }
        #expect(!self.sources.isEmpty, "\(self.page.name) makes no source")
    }

    /// Runs lines of the page. A source that they make, or whose secret they replace, is known from then on.
    mutating func runCommands(_ text: String) async throws {
        let told = try await self.bash(text)
        if let made = told.firstMatch(of: /source (\S+) created\n/) {
            let url = try #require(told.firstMatch(of: /\n +url +(http\S+)/), "\(told)").output.1
            let secret = told.firstMatch(of: /\n +secret +(\S+)/)?.output.1 ?? ""
            self.sources.append(Source(name: String(made.output.1), url: String(url), secret: String(secret)))
        }
        if let rotated = text.firstMatch(of: /source rotate (\S+) .*--secret-file -/) {
            let number = try #require(self.sources.firstIndex { $0.name == rotated.output.1 })
            self.sources[number].secret = Self.sendersSecret
        }
    }

    /// Runs lines of a shell, and returns what they have printed.
    @discardableResult
    func bash(_ text: String) async throws -> String {
        try await self.run("/bin/bash", ["-e", "-u", "-o", "pipefail", "-c", text])
    }

    /// Runs a program in the reader's folder, and expects that it succeeds. Returns what it has printed.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) async throws -> String {
        var command = Command(program, arguments, environment: self.environment)
        command.folder = self.desk.folder.path
        let paste = try self.file("paste", Self.sendersSecret + "\n")
        command.input = .file(try FileHandle(forReadingFrom: URL(fileURLWithPath: paste)))
        let (code, text) = try await Program.end(of: command)
        try #require(code == 0, "\(self.page.name): \(arguments)\n\(text)")
        return text
    }

    /// The newest source is the one whose URL and secret the reader has kept.
    private var environment: [String: String] {
        let tests = ProcessInfo.processInfo.environment
        let program = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
        var environment = self.desk.environment.merging(self.variables) { $1 }
        environment["PATH"] = [Self.programs.path, program, tests["PATH"] ?? "/usr/bin:/bin"].joined(separator: ":")
        environment["HOOK"] = self.sources.last?.url
        environment["DIALTONE_SOURCE_SECRET"] = self.sources.last?.secret
        return environment
    }

    /// Writes a file into the reader's folder, and returns its path.
    func file(_ name: String, _ text: String) throws -> String {
        let file = self.desk.folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// The text with the newest source's URL and secret where the page has examples.
    func filled(_ text: String) throws -> String {
        let source = try #require(self.sources.last)
        return text.replacing("https://dialtone.example.com/v1/hooks/hk_…", with: source.url)
            .replacing("whsec_…", with: source.secret)
    }

    // MARK: The sender

    /// Lets the sender tell of a new user of the organisation that the page maps. Expects that the user gets ready.
    func signUp(by sender: String, at source: Source) async throws {
        let mapped = self.page.text.firstMatch(of: /source map add (\S+) (\S+) acme\n/)?.output.2 ?? "acme"
        let user = "made-up-by-\(sender)"
        try await self.run(
            Python.path,
            [Self.programs.path + "/sender.py", sender, source.url, source.secret, user, String(mapped)])
        try await self.expect([user], "ready")
    }

    /// Waits until the users of acme have this status.
    func expect(_ users: [String], _ status: String) async throws {
        for user in users {
            do {
                try await self.desk.database.until(
                    "select 1 from dialtone.users where tenant_id = 'acme' and user_id = \(user) and status = \(status)"
                )
            } catch let error as TestDatabase.NeverCame {
                Issue.record("\(self.page.name): \(user) is not \(status): \(error)")
            }
        }
    }
}

/// The Python of the tests; else that of the system. The pages need its standard library alone.
enum Python {
    static var path: String {
        let own = Page.repository.appendingPathComponent(".venv/bin/python").path
        let named = ProcessInfo.processInfo.environment["DIALTONE_PYTHON"] ?? own
        return FileManager.default.isExecutableFile(atPath: named) ? named : "/usr/bin/python3"
    }
}

/// Node, where it is installed.
enum Node {
    static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/node" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}
