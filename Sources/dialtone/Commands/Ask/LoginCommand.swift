// SPDX-License-Identifier: Apache-2.0
// `dialtone login` keeps a service's address and a key, so that later commands need neither.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keeps a service's URL and an API key for later commands.",
        discussion: """
            The key comes from standard input; a terminal does not show it. It is tried, and then kept in \
            $XDG_CONFIG_HOME/dialtone/profiles.json, which nobody else may read.

              dialtone login --url https://dialtone.example.com < key.txt
            """)

    @Option(help: "The service's URL.") var url: String
    @Option(help: "The name to keep it under.") var profile = Profiles.usual
    @Option(help: "The tenant that later commands mean.") var tenant: String?

    func run() async throws {
        let tenant = try self.tenant.map { try TenantID($0).rawValue }
        guard let profiles = Profiles(environment: SecretVariables.environment) else {
            throw InvalidValue("HOME", "is not set, so there is no place for the key")
        }
        let key = try PastedSecret.line("key").trimmingCharacters(in: .whitespaces)
        guard !key.isEmpty else { throw InvalidValue("standard input", "must hold the key") }
        var environment = SecretVariables.environment
        environment["DIALTONE_URL"] = self.url
        environment["DIALTONE_API_KEY"] = key
        environment.removeValue(forKey: "DIALTONE_API_KEY_FILE")
        let door = try await Door.choose(
            Door.Signs(url: self.url), environment: environment, settings: { try await Settings.read() })
        let tenants = try await door.ask { questions, _ in try await questions.tenants() }
        try profiles.keep(Profile(url: self.url, key: key, tenant: tenant), as: self.profile)
        let reach = tenants.count == 1 ? "tenant \(tenants[0].tenant)" : "\(tenants.count) tenants"
        Terminal.show("logged in to \(self.url) as profile \(self.profile); the key reaches \(reach)")
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forgets a profile and its key.")

    @Option(help: "The profile's name.", completion: .custom { _, _, _ in await LiveValues.profiles() })
    var profile = Profiles.usual

    func run() async throws {
        guard let profiles = Profiles(environment: SecretVariables.environment),
            try profiles.profile(self.profile) != nil
        else { throw NotFound(what: "profile \(self.profile)") }
        try profiles.keep(nil, as: self.profile)
        Terminal.show("profile \(self.profile) is forgotten; its key stays in force until it is revoked")
    }
}
