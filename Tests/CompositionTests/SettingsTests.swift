// SPDX-License-Identifier: Apache-2.0
// Settings come from flags, environment and file in this order; wrong ones are named, and no message shows a secret.

import Composition
import Foundation
import Model
import Testing

@Suite struct SettingsTests {
    static let database = "postgresql://user:hunter2@127.0.0.1/dialtone"

    static func read(
        _ environment: [String: String] = [:], flags: [String: String] = [:]
    ) async throws -> Settings {
        let all = ["DATABASE_URL": Self.database].merging(environment) { $1 }
        return try await Settings.read(flags: flags, environment: all)
    }

    /// Lends a file that is removed afterwards.
    static func withFile(_ text: String, _ name: String, _ work: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await work(path)
    }

    @Test func `the defaults are the documented ones`() async throws {
        let settings = try await Self.read()
        #expect(settings.listenHost == "127.0.0.1" && settings.listenPort == 8080)
        #expect(settings.lease == .seconds(30) && settings.httpDeadline == .seconds(10))
        #expect(settings.tagCapacity == 980 && settings.telnyxBaseURL == "https://api.telnyx.com/v2")
        #expect(settings.databaseDirectURL.reveal() == Self.database)
        #expect(!"\(settings)".contains("hunter2"))
    }

    @Test(arguments: [
        ("DATABASE_URL", ""), ("DATABASE_URL", "hunter2 hunter2"), ("DATABASE_URL", "postgresql://h/?hunter2=1"),
        ("DATABASE_DIRECT_URL", "nonsense"), ("DIALTONE_LISTEN", "nowhere"), ("DIALTONE_LISTEN", "127.0.0.1:70000"),
        ("DIALTONE_POOLER", "session"), ("DIALTONE_LOG_LEVEL", "loud"), ("DIALTONE_LEASE", "30"),
        ("DIALTONE_LEASE", "12s"), ("DIALTONE_HTTP_DEADLINE", "-1s"), ("DIALTONE_HTTP_DEADLINE", "0s"),
        ("DIALTONE_PROVIDER_MARGIN", "soon"), ("DIALTONE_TAG_CAPACITY", "1001"), ("DIALTONE_TAG_CAPACITY", "many"),
        ("DIALTONE_CONCURRENCY", "0"), ("TELNYX_BASE_URL", "api.telnyx.com"), ("TELNYX_BASE_URL", "ftp://127.0.0.1/v2"),
        ("TELNYX_BASE_URL", "http://api.telnyx.com/v2"), ("TELNYX_BASE_URL", "http://127.0.0.1.evil.example/v2"),
        ("TELNYX_BASE_URL", "http://localhost@evil.example/v2"), ("TELNYX_API_KEY_FILE", "/nowhere/key"),
        ("DATABASE_DIRECT_URL_FILE", "/nowhere/url"), ("DIALTONE_CONFIG", "/nowhere/dialtone.yaml"),
        ("TELNYX_API_KEY", "hunter2 hunter2"), ("TELNYX_API_KEY", "\"hunter2"), ("TELNYX_API_KEY", "hunter2\nhunter2"),
        ("TELNYX_API_KEY", "hünter2"), ("TELNYX_CONNECTION_ID", "\"123"), ("DIALTONE_LOG_FORMAT", "xml"),
        ("DIALTONE_LISTEN", "::1:8080"), ("DIALTONE_LISTEN", "[::1:8080"), ("DIALTONE_LISTEN", "[127.0.0.1]:8080"),
        ("DIALTONE_PUBLIC_URL", "http://::1:8080"), ("DIALTONE_STATUS_LISTEN", "nowhere"),
        ("TELNYX_BASE_URL", "https://gateway:hunter2@egress.example.com/v2"),
    ])
    func `a wrong setting is named and no secret is shown`(name: String, value: String) async throws {
        let error = await #expect(throws: SettingsError.self) { _ = try await Self.read([name: value]) }
        let problems = try #require(error?.problems)
        #expect(problems.contains { $0.hasPrefix("\(name) ") }, "\(problems)")
        #expect(!"\(problems)".contains("hunter2"))
    }

    @Test func `all wrong settings are reported at once`() async throws {
        let error = await #expect(throws: SettingsError.self) {
            _ = try await Self.read(["DATABASE_URL": "", "DIALTONE_LISTEN": "x", "DIALTONE_TAG_CAPACITY": "x"])
        }
        #expect(error?.problems.count == 3)
    }

    @Test func `plain HTTP reaches only the local host unless it is allowed`() async throws {
        for local in ["http://127.0.0.1:1/v2", "http://localhost:1/v2", "http://[::1]:1/v2"] {
            #expect(try await Self.read(["TELNYX_BASE_URL": local]).telnyxBaseURL == local)
        }
        let far = "http://simulator:8090/v2"
        #expect(
            try await Self.read(["TELNYX_BASE_URL": far, "DIALTONE_ALLOW_HTTP": "true"]).telnyxBaseURL == far)
    }

    @Test func `a flag wins over the environment, and the environment over the file`() async throws {
        try await Self.withFile("dialtone:\n  listen: 127.0.0.1:1\n  tag:\n    capacity: '7'\n", "settings.yaml") {
            path in
            let file = ["DIALTONE_CONFIG": path]
            let environment = file.merging(["DIALTONE_LISTEN": "127.0.0.1:2"]) { $1 }
            #expect(try await Self.read(file).listenPort == 1)
            #expect(try await Self.read(environment).listenPort == 2)
            let flagged = try await Self.read(environment, flags: ["DIALTONE_LISTEN": "127.0.0.1:3"])
            #expect(flagged.listenPort == 3 && flagged.tagCapacity == 7)
        }
    }

    @Test func `a number in the settings file needs no quotes`() async throws {
        try await Self.withFile("dialtone:\n  tag:\n    capacity: 7\n", "settings.yaml") { path in
            let capacity = try await Self.read(["DIALTONE_CONFIG": path]).tagCapacity
            #expect(capacity == 7)
        }
    }

    @Test func `a secret may be read from a file`() async throws {
        try await Self.withFile("KEY-secret\n", "key") { path in
            let settings = try await Self.read(["TELNYX_API_KEY_FILE": path])
            #expect(settings.telnyxKey?.reveal() == "KEY-secret")
            #expect(!"\(settings)".contains("KEY-secret"))
        }
        try await Self.withFile(Self.database, "url") { path in
            let settings = try await Settings.read(environment: ["DATABASE_URL_FILE": path])
            #expect(settings.databaseURL.reveal() == Self.database)
        }
    }

    @Test func `the public URL must be an HTTP URL and loses its trailing slash`() async throws {
        let base = ["DATABASE_URL": "postgresql://h/x"]
        let good = try await Settings.read(
            environment: base.merging(["DIALTONE_PUBLIC_URL": "https://hooks.example.com/"]) { $1 })
        #expect(good.publicURL == "https://hooks.example.com")
        for bad in ["foo", "ftp://x", "https://", "https://x?y=1"] {
            let error = await #expect(throws: SettingsError.self) {
                try await Settings.read(environment: base.merging(["DIALTONE_PUBLIC_URL": bad]) { $1 })
            }
            #expect(error?.problems.first?.contains("DIALTONE_PUBLIC_URL") == true, "\(bad)")
        }
    }

    @Test func `a mistyped setting name is reported`() {
        let names = ["DIALTONE_CONCURENCY": "3", "DIALTONE_KEK": "x", "DIALTONE_SOURCE_SECRET_FILE": "x", "HOME": "/"]
        #expect(Settings.unknownNames(in: names) == ["DIALTONE_CONCURENCY"])
    }
}
