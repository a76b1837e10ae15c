// SPDX-License-Identifier: Apache-2.0
// Looks a setting up by its name in flags, environment and file, and collects the problems on the way.

import Configuration
import Foundation

/// The three sources in their order. A lookup of a wrong value returns a stand-in and adds to `problems`.
struct SettingsSource {
    private let reader: ConfigReader
    private let environment: [String: String]
    private(set) var problems: [String] = []
    /// What an operator should know, although it stops no start.
    private(set) var warnings: [String] = []
    /// The files from which secrets were read, by the names of the settings.
    private var files: [String: SecretFile] = [:]

    /// Throws `SettingsError` when the file that DIALTONE_CONFIG names cannot be read.
    init(flags: [String: String], environment: [String: String]) async throws {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                values: Dictionary(
                    uniqueKeysWithValues: flags.map { name, value in
                        (AbsoluteConfigKey(Self.key(name)), ConfigValue(.string(value), isSecret: false))
                    })),
            EnvironmentVariablesProvider(environmentVariables: environment),
        ]
        let named = flags["DIALTONE_CONFIG"] ?? environment["DIALTONE_CONFIG"]
        if let path = named.map({ SettingText.cleaned($0) }), !path.isEmpty {
            let file = ConfigReader(
                provider: InMemoryProvider(values: ["filePath": .init(.string(path), isSecret: false)]))
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(config: file))
            } catch {
                throw SettingsError(problems: ["DIALTONE_CONFIG names \(path), which cannot be read as YAML"])
            }
        }
        self.reader = ConfigReader(providers: providers)
        self.environment = environment
        for name in SettingText.spoiltNames(in: environment) {
            self.complain(name, "has a carriage return or a blank in its name: save the env file with line feeds only")
        }
    }

    mutating func complain(_ name: String, _ what: String) { self.problems.append("\(name) \(what)") }

    // MARK: Looking up

    /// The text of a setting, without what surrounds it. An empty text counts as none.
    func text(_ name: String) -> String? {
        let value = self.reader.string(forKey: Self.key(name)).map { SettingText.cleaned($0) }
        return value?.isEmpty == true ? nil : value
    }

    /// A variable that other programs read too, such as HTTPS_PROXY. It is read from the environment only, and its name
    /// in lower case wins, as in curl.
    func shared(_ name: String) -> String? {
        [name.lowercased(), name].lazy
            .compactMap { self.environment[$0].map { SettingText.cleaned($0) } }
            .first { !$0.isEmpty }
    }

    /// A secret: its own value, or the content of the file that `<NAME>_FILE` names, without what surrounds it.
    mutating func secret(_ name: String) -> String? {
        let own = self.reader.string(forKey: Self.key(name), isSecret: true).map { SettingText.cleaned($0) }
        if let own, !own.isEmpty { return own }
        guard let path = self.text("\(name)_FILE") else { return nil }
        let file = SecretFile(path: path)
        guard let value = file.read() else {
            self.complain("\(name)_FILE", "names \(path), which cannot be read")
            return nil
        }
        guard !value.isEmpty else {
            self.complain("\(name)_FILE", "names \(path), which is empty")
            return nil
        }
        self.warnOfMode("\(name)_FILE", file)
        if file.isRegular { self.files[name] = file }
        return value
    }

    /// The secret that was read for this setting, with its file if it came from one.
    func renewable(
        _ name: String, _ value: String, isUsable: @escaping @Sendable (String) -> Bool
    ) -> SecretSource {
        var text: (@Sendable () -> String?)?
        if let file = self.files[name] { text = { file.readAgain() } }
        return SecretSource(name: name, value: value, text: text, isUsable: isUsable)
    }

    mutating func warnOfMode(_ name: String, _ file: SecretFile) {
        guard let mode = file.openMode else { return }
        self.warnings.append(
            "\(name) names \(file.path), which others than its owner may open (mode \(mode)); chmod 600 closes it")
    }

    mutating func duration(_ name: String, default standard: Duration) -> Duration {
        guard let text = self.text(name) else { return standard }
        if let duration = Settings.duration(text), duration > .zero { return duration }
        self.complain(name, "must be a time such as 30s, 500ms, 2m or 1h")
        return standard
    }

    mutating func number(_ name: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = self.text(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            self.complain(name, "must be a number from \(range.lowerBound) to \(range.upperBound)")
            return standard
        }
        return number
    }

    /// The URL under which senders reach the service, without a slash at the end.
    mutating func publicURL(_ name: String) -> String? {
        guard var text = self.text(name) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host?.isEmpty == false,
            url.query == nil, url.fragment == nil, !ListenAddress.lacksBrackets(text)
        else {
            self.complain(
                name, "must be a URL such as https://hooks.example.com; an IPv6 address stands in brackets")
            return nil
        }
        return text
    }

    /// A URL with https, or with plain http to this machine. Plain http to elsewhere would show the key to the network.
    mutating func baseURL(_ name: String, default standard: String) -> String {
        guard let text = self.text(name) else { return standard }
        // `URL` makes escapes of blanks and controls, and the calls would go to another path. A start logs the URL.
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let url = URL(string: text), let host = url.host,
            let scheme = url.scheme, url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
        else {
            self.complain(name, "must be a URL such as \(standard)")
            return standard
        }
        let isLocal = ["127.0.0.1", "::1", "localhost"].contains(host)
        if scheme != "https" && !(scheme == "http" && (isLocal || self.text("DIALTONE_ALLOW_HTTP") == "true")) {
            self.complain(name, "must be https, or set DIALTONE_ALLOW_HTTP=true for a private network")
        }
        return text
    }

    /// Returns the key `database.url` for DATABASE_URL: the environment joins words by `_`, and YAML nests them.
    private static func key(_ name: String) -> ConfigKey {
        ConfigKey(name.lowercased().split(separator: "_").map(String.init))
    }
}
