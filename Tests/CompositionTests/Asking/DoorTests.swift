// SPDX-License-Identifier: Apache-2.0
// A command asks where it was told to: its line before the environment, there a URL before a profile, then a database.

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
        let database = try await Self.choose(["DATABASE_URL": "postgresql://h/x"])
        #expect(database.words == "asking the database x at h")
    }

    @Test func `the line wins over the environment, and in each a URL over a profile`() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        var environment = [
            "XDG_CONFIG_HOME": home.path, "DIALTONE_API_KEY": Self.key, "DATABASE_URL": "postgresql://h/x",
        ]
        let profiles = try #require(Profiles(environment: environment))
        for name in ["prod", "staging", Profiles.usual] {
            try profiles.keep(Profile(url: "https://\(name).example.com", key: Self.key, tenant: nil), as: name)
        }
        #expect(try await Self.choose(environment).url == nil)
        environment["DIALTONE_PROFILE"] = "staging"
        #expect(try await Self.choose(environment).url == "https://staging.example.com")
        environment["DIALTONE_URL"] = "https://variable.example.com"
        #expect(try await Self.choose(environment).url == "https://variable.example.com")
        #expect(try await Self.choose(environment, .init(profile: "prod")).url == "https://prod.example.com")
        let both = Door.Signs(url: "https://flag.example.com", profile: "prod")
        #expect(try await Self.choose(environment, both).url == "https://flag.example.com")
        environment["DATABASE_URL"] = nil
        environment["DIALTONE_PROFILE"] = nil
        environment["DIALTONE_URL"] = nil
        #expect(try await Self.choose(environment).url == "https://default.example.com")
    }

    @Test(arguments: [
        "postgresql://ada:hunter2@db.example.com:5433/prod?sslmode=require",
        "host=db.example.com dbname=prod user=ada password=hunter2",
    ])
    func `a command that changes something names its database, and nothing of the login`(url: String) async throws {
        let settings = try await Settings.read(flags: ["DATABASE_URL": url], environment: [:])
        let line = "acting in the database prod at db.example.com" + (url.contains(":5433") ? " port 5433" : "")
        #expect(Door.databaseWords(.acting, settings, environment: ["DIALTONE_URL": ""]) == line)
        let set = ["DIALTONE_URL": "https://a.example.com", "DIALTONE_PROFILE": "prod"]
        #expect(
            Door.databaseWords(.acting, settings, environment: set)
                == "\(line); this command does not go over HTTP, and does not use DIALTONE_URL or DIALTONE_PROFILE")
        let asking = Door.databaseWords(.asking, settings, environment: [:])
        #expect(asking == line.replacing("acting in", with: "asking"))
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
