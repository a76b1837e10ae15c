// SPDX-License-Identifier: Apache-2.0
// The files with which people run the service: they give it time to stop, few rights, and only the secrets it needs.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct DeploymentTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Returns the lines of one part of the compose file, such as `services:` or `  api:`.
    private static func part(_ name: String, indent: Int, of text: String) throws -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let blank = String(repeating: " ", count: indent)
        let start = try #require(lines.firstIndex { $0.hasPrefix("\(blank)\(name):") }, "\(name) is not there")
        return Array(lines[(start + 1)...].prefix { $0.hasPrefix("\(blank) ") || $0.isEmpty })
    }

    @Test func `each container has few rights, and time to stop`() throws {
        let text = try Self.text("docker-compose.yml")
        let closed = try Self.part("x-closed", indent: 0, of: text).joined(separator: "\n")
        for line in ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"] { #expect(closed.contains(line)) }
        let shared = try Self.part("x-dialtone", indent: 0, of: text)
        #expect(shared.contains("  <<: *closed") && shared.contains("  stop_grace_period: 40s"))
        for service in ["postgres", "migrate", "api", "worker", "simulator"] {
            let lines = try Self.part(service, indent: 2, of: text)
            #expect(lines.contains("    <<: *closed") || lines.contains("    <<: *dialtone"), "\(service)")
        }
    }

    @Test func `a container gets the secrets that it needs and no other`() throws {
        let text = try Self.text("docker-compose.yml")
        for (service, secret) in [("migrate", "kek"), ("migrate", "telnyx"), ("simulator", "kek"), ("postgres", "kek")]
        {
            let secrets = try Self.part(service, indent: 2, of: text).filter { $0.hasPrefix("    secrets:") }
            #expect(secrets.count == 1 && !secrets.joined().contains(secret), "\(service) has \(secrets)")
        }
        #expect(!text.contains("--api-key\""), "a key stands among the arguments")
    }

    /// The names are those that the pages tell people to use, so that a new page cannot forget the lists.
    @Test func `git and the image's builder leave alone every secret's file that a page names`() throws {
        let pages = try ["README.md", "docs/settings.md", "docker-compose.yml", "deploy/dialtone@.service"]
            .map { try Self.text($0) }
        let named = pages.flatMap { page in
            page.matches(of: /(?:\$PWD|\/run\/secrets|LoadCredential=\w+:\/etc\/dialtone|\.\/secrets)\/([a-z_]+)/)
                .map { String($0.output.1) }
        }
        #expect(Set(named).isSuperset(of: ["kek", "telnyx_api_key", "app_url", "migrator_url"]), "\(named)")
        for file in [".gitignore", ".dockerignore"] {
            let patterns = try Self.text(file).split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { $0.trimmingCharacters(in: ["/"]) }
            for name in Set(named).union(["secrets", "kek", "database_url", "telnyx_api_key", ".env"]) {
                #expect(patterns.contains { fnmatch($0, name, 0) == 0 }, "\(name) is not in \(file)")
            }
            for name in ["README.md", "Package.swift", "Sources", "docs"] {
                #expect(!patterns.contains { fnmatch($0, name, 0) == 0 }, "\(file) leaves \(name) out")
            }
        }
    }

    @Test func `systemd takes the unit as it is`() throws {
        let unit = try Self.text("deploy/dialtone@.service")
        #expect(unit.contains("TimeoutStopSec=40") && unit.contains("NoNewPrivileges=yes"))
        let program = "/usr/bin/systemd-analyze"
        guard FileManager.default.isExecutableFile(atPath: program) else { return }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("unit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // The program need not be installed where the tests run.
        let file = folder.appendingPathComponent("dialtone@api.service")
        try unit.replacing("/usr/local/bin/dialtone", with: "/bin/true")
            .write(to: file, atomically: true, encoding: .utf8)
        let errors = Pipe.own()
        var command = Command(program, ["verify", file.path])
        command.errors = .pipe(errors)
        let process = try command.start()
        let told = String(decoding: errors.rest(), as: UTF8.self)
        let code = process.waitUntilExit()
        #expect(code == 0 && !told.contains("dialtone@api.service:"), "\(told)")
    }
}
