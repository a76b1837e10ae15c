// SPDX-License-Identifier: Apache-2.0
// The provider's key and the way to it: what can be mended is mended, what cannot work is refused by name at the start.

import Composition
import Foundation
import Model
import Telnyx
import Testing

@Suite struct ProviderSettingsTests {
    private static func read(_ environment: [String: String]) async throws -> Settings {
        try await Settings.read(
            environment: ["DATABASE_URL": "postgresql://127.0.0.1/dialtone"].merging(environment) { $1 })
    }

    private static func problems(_ environment: [String: String]) async -> [String] {
        let error = await #expect(throws: SettingsError.self) { _ = try await Self.read(environment) }
        return error?.problems ?? []
    }

    /// Lends a file that is removed afterwards.
    private static func withFile(_ text: String, _ work: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID().uuidString)").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await work(path)
    }

    // MARK: The key

    @Test(arguments: ["KEY-secret\n", " KEY-secret ", "\tKEY-secret\r\n", "KEY-secret\u{A0}", "KEY-secret"])
    func `blanks around the provider's key are dropped, in a variable as in a file`(_ text: String) async throws {
        #expect(try await Self.read(["TELNYX_API_KEY": text]).telnyxKey?.reveal() == "KEY-secret")
        try await Self.withFile(text) { path in
            let key = try await Self.read(["TELNYX_API_KEY_FILE": path]).telnyxKey
            #expect(key?.reveal() == "KEY-secret")
        }
    }

    @Test(arguments: [
        "KEY-sec\"ret", "KEY-sec'ret", "\"KEY-secret", "KEY secret", "Bearer KEY-secret", "KEY\nsecret", "KEY\tsecret",
        "KEY\r\nsecret", "KEY\u{0}secret", "KEY\u{1B}secret", "KEY\u{7F}secret", "KÉY-secret",
        "\u{201C}KEY-secret\u{201D}", "KEY\u{200B}secret",
    ])
    func `a key that cannot be sent is refused by name and not shown`(_ text: String) async throws {
        let problems = await Self.problems(["TELNYX_API_KEY": text])
        #expect(problems.count == 1 && problems[0].hasPrefix("TELNYX_API_KEY "), "\(problems)")
        #expect(!"\(problems)".contains("secret") && !"\(problems)".contains("KEY-"))
    }

    @Test(arguments: ["\"KEY-secret\"", "'KEY-secret'", "\u{FEFF}KEY-secret", "KEY-secret\u{0}"])
    func `quotes and marks around a key never become a part of it`(_ text: String) async throws {
        do {
            #expect(try await Self.read(["TELNYX_API_KEY": text]).telnyxKey?.reveal() == "KEY-secret")
        } catch let error as SettingsError {
            #expect(error.problems.count == 1 && error.problems[0].hasPrefix("TELNYX_API_KEY "))
        }
    }

    @Test func `a key of blanks counts as not set, and an empty file is named`() async throws {
        #expect(try await Self.read(["TELNYX_API_KEY": " \n"]).telnyxKey == nil)
        try await Self.withFile("\n") { path in
            let problems = await Self.problems(["TELNYX_API_KEY_FILE": path])
            #expect(problems == ["TELNYX_API_KEY_FILE names \(path), which is empty"])
        }
    }

    @Test(arguments: ["https://api.telnyx.com/v2 x", "https://api.telnyx.com/\u{1}v2", "https://api.telnyx.com/v2?x=1"])
    func `a base URL that would lead elsewhere is refused by name`(_ text: String) async throws {
        let problems = await Self.problems(["TELNYX_BASE_URL": text])
        #expect(problems.count == 1 && problems[0].hasPrefix("TELNYX_BASE_URL "), "\(problems)")
    }

    // MARK: The proxy

    /// The environment, and host and port of the proxy that is used.
    private static let proxies: [([String: String], String?)] = [
        ([:], nil), (["HTTPS_PROXY": "http://proxy:3128"], "proxy:3128"), (["https_proxy": "proxy:3128"], "proxy:3128"),
        (["HTTPS_PROXY": "upper:1", "https_proxy": "lower:1"], "lower:1"), (["HTTP_PROXY": "http://proxy:3128"], nil),
        (["HTTPS_PROXY": "proxy:1", "TELNYX_PROXY": "http://own:2"], "own:2"),
        (["HTTPS_PROXY": "proxy:1", "TELNYX_PROXY": "none"], nil),
        (["HTTPS_PROXY": "proxy:1", "NO_PROXY": "telnyx.com"], nil),
        (["HTTPS_PROXY": "proxy:1", "no_proxy": "*"], nil),
        (["HTTPS_PROXY": "proxy:1", "NO_PROXY": "localhost,127.0.0.1"], "proxy:1"),
        (["TELNYX_PROXY": "http://own:2", "NO_PROXY": "*"], "own:2"),
        (["HTTPS_PROXY": "proxy:1", "TELNYX_BASE_URL": "http://127.0.0.1:1/v2"], nil),
        (["TELNYX_PROXY": "http://own:2", "TELNYX_BASE_URL": "http://localhost:1/v2"], nil),
        (["HTTPS_PROXY": "socks5://proxy:1", "TELNYX_BASE_URL": "http://[::1]:1/v2"], nil),
        (["HTTPS_PROXY": "proxy:1", "TELNYX_BASE_URL": "http://simulator/v2", "DIALTONE_ALLOW_HTTP": "true"], nil),
        (["TELNYX_PROXY": "own:2", "TELNYX_BASE_URL": "http://simulator/v2", "DIALTONE_ALLOW_HTTP": "true"], "own:2"),
    ]

    @Test func `the provider is called through the proxy that the environment names`() async throws {
        for (environment, place) in Self.proxies {
            #expect(try await Self.read(environment).providerProxy?.place == place, "\(environment)")
        }
    }

    @Test(arguments: [
        "https://u:hunter2@proxy:1", "socks5://u:hunter2@proxy:1", "http://u:hunter2@proxy:x", "hunter2 x",
    ])
    func `a proxy that cannot be used is refused by name, and its password is not shown`(_ text: String) async throws {
        for name in ["HTTPS_PROXY", "TELNYX_PROXY"] {
            let problems = await Self.problems([name: text])
            #expect(problems.count == 1 && problems[0].hasPrefix("\(name) must be "), "\(problems)")
            #expect(!"\(problems)".contains("hunter2"))
        }
    }

    @Test func `the settings show neither the proxy's login nor the key`() async throws {
        let settings = try await Self.read(
            ["TELNYX_API_KEY": "KEY-secret", "TELNYX_PROXY": "http://hunter1:hunter2@proxy:1"])
        #expect(!"\(settings)".contains("hunter") && !"\(settings)".contains("KEY-"))
    }
}
