// SPDX-License-Identifier: Apache-2.0
// Holds docs/settings.md against the program: every setting is there, none is invented, and each default is real.

import Composition
import Foundation
import Model
import Testing

@Suite struct SettingsPageTests {
    @Test func `every setting that the program reads has a row in the settings page`() throws {
        let documented = Set(try Page.rows().map(\.name))
        let read = try Sources.namesRead()
        #expect(read.subtracting(documented).sorted() == [])
    }

    @Test func `every row of the settings page is a setting that the program reads`() throws {
        let names = try Page.rows().map(\.name)
        let read = try Sources.namesRead()
        #expect(Set(names).subtracting(read).sorted() == [])
        #expect(Set(names).count == names.count, "a setting has two rows")
    }

    @Test func `no documented setting is taken for a mistyped one`() throws {
        let environment = Dictionary(try Page.rows().map { ($0.name, "x") }, uniquingKeysWith: { $1 })
        #expect(Settings.unknownNames(in: environment) == [])
    }

    @Test func `a setting may stand in a file exactly when the page says so`() throws {
        let documented = Set(try Page.rows().filter(\.mayBeFile).map(\.name))
        let secrets = try Sources.secretsRead()
        #expect(documented == secrets)
    }

    @Test func `a documented default is what the program uses when the setting is left out`() async throws {
        let unset = try await Self.read([:])
        let rows = try Page.rows().filter { $0.value != nil }
        #expect(rows.count >= 10, "the page's defaults are not found any more")
        for row in rows {
            let settings = try await Self.read([row.name: row.value ?? ""])
            #expect("\(settings)" == "\(unset)", "\(row.name) is not \(row.value ?? "") when it is left out")
        }
    }

    @Test func `a setting without a documented default has none`() async throws {
        let settings = try await Self.read([:])
        #expect(settings.databaseDirectURL.reveal() == settings.databaseURL.reveal())
        let isUnset: [String: Bool] = [
            "DIALTONE_POOLER": !settings.isPooled, "DIALTONE_KEK": settings.kek == nil,
            "DIALTONE_PROVIDER_RATE": settings.providerRate == nil, "DIALTONE_PUBLIC_URL": settings.publicURL == nil,
            "TELNYX_API_KEY": settings.telnyxKey == nil, "TELNYX_CONNECTION_ID": settings.connectionID == nil,
        ]
        // Read before or beside `Settings`, or needed by every command.
        let others = [
            "DATABASE_URL", "DIALTONE_CONFIG", "DIALTONE_SOURCE_SECRET", "DIALTONE_API_KEY", "DIALTONE_URL",
            "DIALTONE_PROFILE", "DIALTONE_TENANT", "DIALTONE_PG_BINDIR",
        ]
        let documented = try Page.rows().filter { $0.standard == "none" }.map(\.name)
        #expect(Set(documented) == Set(isUnset.keys).union(others))
        for name in documented { #expect(isUnset[name] ?? true, "\(name) has a default") }
        let error = await #expect(throws: SettingsError.self) { _ = try await Settings.read(environment: [:]) }
        #expect(error?.problems.map { String($0.prefix { $0 != " " }) } == ["DATABASE_URL"])
    }

    @Test func `a documented range ends where the program begins to refuse`() async throws {
        let rows = try Page.rows().compactMap { row in row.range.map { (row.name, $0) } }
        #expect(rows.count >= 8, "the page's ranges are not found any more")
        for (name, range) in rows {
            for inside in [range.lower, range.upper] {
                #expect(await Self.complaints(name, inside.text) == [], "\(name) takes \(inside.text)")
            }
            for outside in [range.lower.next(-1), range.upper.next(1)] {
                #expect(await Self.complaints(name, outside.text) != [], "\(name) refuses \(outside.text)")
            }
        }
    }

    // MARK: The program

    private static func read(_ environment: [String: String]) async throws -> Settings {
        let needed = ["DATABASE_URL": "postgresql://127.0.0.1/dialtone"]
        return try await Settings.read(environment: needed.merging(environment) { $1 })
    }

    /// Returns the program's complaints about this value, without its complaints about other settings.
    private static func complaints(_ name: String, _ value: String) async -> [String] {
        do {
            _ = try await Self.read([name: value])
            return []
        } catch let error as SettingsError {
            return error.problems.filter { $0.hasPrefix("\(name) ") }
        } catch {
            return ["\(error)"]
        }
    }
}

/// The tables of `docs/settings.md`.
private enum Page {
    struct Row {
        let name: String
        let secret: String
        /// As the page writes it.
        let standard: String
        let limits: String

        /// The default, where it is a value.
        var value: String? { self.standard.wholeMatch(of: /`([^` ]+)`/).map { String($0.output.1) } }
        var mayBeFile: Bool { self.secret.contains("`_FILE`") }

        /// The range, where it has two ends.
        var range: (lower: Bound, upper: Bound)? {
            guard let match = self.limits.wholeMatch(of: /`(\d+)([a-z]*)` to `(\d+)([a-z]*)`/),
                let lower = Int(match.output.1), let upper = Int(match.output.3)
            else { return nil }
            return (
                Bound(number: lower, unit: String(match.output.2)), Bound(number: upper, unit: String(match.output.4))
            )
        }
    }

    /// One end of a range: a number, or a time such as `168h`.
    struct Bound {
        let number: Int
        let unit: String

        var text: String { "\(self.number)\(self.unit)" }
        func next(_ step: Int) -> Bound { Bound(number: self.number + step, unit: self.unit) }
    }

    /// Every row whose first cell is a setting's name. Throws when the page is not there.
    static func rows() throws -> [Row] {
        let text = try String(contentsOf: Package.root().appendingPathComponent("docs/settings.md"), encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 7, let match = cells[1].wholeMatch(of: /`((?:DATABASE|DIALTONE|TELNYX)_[A-Z_]+)`/)
            else { return nil }
            return Row(name: String(match.output.1), secret: cells[2], standard: cells[3], limits: cells[4])
        }
    }
}

/// The program's own source. The program has no list of all its settings, so their names are read where they
/// are asked for: `source.text("NAME")`, `source.secret("NAME")`, `environment["NAME"]`, and so on.
private enum Sources {
    /// Every setting that some file under `Sources` asks for.
    static func namesRead() throws -> Set<String> {
        try self.names(/(?:\.(?!complain)\w+\(|environment\[|flags\[)\s*"((?:DATABASE|DIALTONE|TELNYX)_[A-Z_]+)"/)
    }

    /// Every setting that is asked for as a secret. Only such a setting may stand in a file.
    static func secretsRead() throws -> Set<String> {
        try self.names(/\.secret\(\s*"((?:DATABASE|DIALTONE|TELNYX)_[A-Z_]+)"/)
    }

    private static func names(_ pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
        let folder = try Package.root().appendingPathComponent("Sources")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        var hasSettings = false
        for case let file as URL in files where file.pathExtension == "swift" {
            if file.lastPathComponent == "Settings.swift" { hasSettings = true }
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: pattern) { names.insert(String(match.output.1)) }
        }
        try #require(hasSettings && !names.isEmpty, "the settings are read somewhere else now")
        return names
    }
}

private enum Package {
    /// The folder that holds Package.swift, above this file.
    static func root() throws -> URL {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
            try #require(folder.path != "/", "Package.swift is not above \(#filePath)")
            folder.deleteLastPathComponent()
        }
        return folder
    }
}
