// SPDX-License-Identifier: Apache-2.0
// A command asks where it was told to: a URL before a profile that is named, that before a database, and no key is shown.

import Foundation
import Model
import Testing

@testable import Composition

@Suite struct DoorTests {
    private static let key = "dtk_abcdef_secretpart"

    private static func choose(
        _ environment: [String: String], _ signs: Door.Signs = .init()
    ) async throws -> Door {
        try await Door.choose(signs, environment: environment) {
            try await Settings.read(flags: ["DATABASE_URL": "postgresql://h/x"], environment: [:])
        }
    }

    @Test func `a URL wins over a database, and the flag over the variable`() async throws {
        let both = [
            "DIALTONE_URL": "https://a.example.com", "DIALTONE_API_KEY": Self.key, "DATABASE_URL": "postgresql://h/x",
        ]
        #expect(try await Self.choose(both).url == "https://a.example.com")
        let flag = Door.Signs(url: "https://b.example.com/")
        #expect(try await Self.choose(both, flag).url == "https://b.example.com")
        #expect(try await Self.choose(["DATABASE_URL": "postgresql://h/x"]).url == nil)
    }

    @Test func `the way that was taken is said without the key's secret`() async throws {
        let door = try await Self.choose(["DIALTONE_URL": "https://a.example.com", "DIALTONE_API_KEY": Self.key])
        #expect(door.words == "asking https://a.example.com with key dtk_abcdef_…")
        #expect(try await Self.choose(["DATABASE_URL": "postgresql://h/x"]).words == "asking the database")
    }

    @Test func `a key goes over https, or to this machine`() async throws {
        await #expect(throws: InvalidValue.self) {
            _ = try await Self.choose(["DIALTONE_URL": "http://a.example.com", "DIALTONE_API_KEY": Self.key])
        }
        let own = try await Self.choose(["DIALTONE_URL": "http://127.0.0.1:8080", "DIALTONE_API_KEY": Self.key])
        #expect(own.url == "http://127.0.0.1:8080")
    }

    @Test func `without either, both ways are named`() async throws {
        let error = await #expect(throws: SettingsError.self) { _ = try await Self.choose([:]) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("DIALTONE_URL"))
        #expect("\(error.map { "\($0)" } ?? "")".contains("DATABASE_URL"))
    }

    @Test func `a profile is kept, read and forgotten, and an older one stays`() throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let profiles = try #require(Profiles(environment: ["XDG_CONFIG_HOME": home.path]))
        #expect(try profiles.all().isEmpty)
        let one = Profile(url: "https://a.example.com", key: Self.key, tenant: "acme")
        try profiles.keep(one, as: "a")
        try profiles.keep(Profile(url: "https://b.example.com", key: Self.key, tenant: nil), as: "b")
        #expect(try profiles.profile("a") == one)
        try profiles.keep(nil, as: "b")
        #expect(try Array(profiles.all().keys) == ["a"])
        #expect(Profiles(environment: [:]) == nil)
    }
}
