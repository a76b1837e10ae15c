// SPDX-License-Identifier: Apache-2.0
// An address to listen on, as people write it in env files: it has one meaning, or an error that names the setting.

import Composition
import Foundation
import Testing

@Suite struct ListenAddressTests {
    /// The two settings, and how each address that they mean is shown.
    private static let settings: [(name: String, shown: @Sendable (Settings) -> String)] = [
        ("DIALTONE_LISTEN", { $0.listenAddress }),
        (
            "DIALTONE_STATUS_LISTEN",
            { $0.statusListen.map { ListenAddress.shown(host: $0.host, port: $0.port) } ?? "none" }
        ),
    ]

    /// `all` in place of a host means every address of the machine.
    @Test(arguments: [
        (":8080", "all:8080"), ("*:8080", "all:8080"), (":0", "127.0.0.1:0"), ("*:0", "127.0.0.1:0"),
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:8080", "0.0.0.0:8080"), ("localhost:8080", "localhost:8080"),
        ("[::1]:8080", "[::1]:8080"), ("[::]:0", "[::]:0"), ("[fe80::1%eth0]:1", "[fe80::1%eth0]:1"),
        ("my-host.example:65535", "my-host.example:65535"), ("127.0.0.1:08080", "127.0.0.1:8080"),
        (":8080\r", "all:8080"), ("127.0.0.1:8080\r\n", "127.0.0.1:8080"), ("\"[::1]:8080\"", "[::1]:8080"),
        ("'localhost:8080'\r", "localhost:8080"), (" 127.0.0.1:8080\t", "127.0.0.1:8080"),
        ("\u{FEFF}:0", "127.0.0.1:0"),
    ])
    func `an address means what it says`(text: String, meaning: String) async throws {
        for (name, shown) in Self.settings {
            let address = shown(try await SettingsTests.read([name: text]))
            let isAll = ["[::]:8080", "0.0.0.0:8080"].contains(address)
            #expect(address == meaning || (meaning == "all:8080" && isAll), "\(name): \(address)")
        }
    }

    @Test(arguments: [
        "::1", "::", "::1:8080", "[::1]", "[::1", "::1]:8080", "[127.0.0.1]:8080", "[]:8080", "8080", "localhost",
        "host:99999", "host:65536", "host:-1", "host:+80", "host:", ":", "host:80a", "host:8080:1", "host: 80",
        "my host:80", "host:80 # the port", "http://127.0.0.1:8080", "http://127.0.0.1", "127.0.0.1/8080", "a/b:80",
        "user@host:80", "\"127.0.0.1:8080", "127.0.0.1:\u{0661}", "127.0.0.1;8080", "127.0.0.1:99999999999999999999",
    ])
    func `an address that has no meaning is refused by the setting's name`(text: String) async throws {
        for (name, _) in Self.settings {
            let error = await #expect(throws: SettingsError.self) { _ = try await SettingsTests.read([name: text]) }
            let problems = error?.problems ?? []
            #expect(problems.count == 1 && problems[0].hasPrefix("\(name) must be host:port, such as "), "\(problems)")
        }
    }

    @Test(arguments: ["", " ", "\r\n", "\"\"", "' '"])
    func `an empty address counts as not set`(text: String) async throws {
        for (name, shown) in Self.settings {
            let standard = shown(try await SettingsTests.read())
            let address = shown(try await SettingsTests.read([name: text]))
            #expect(address == standard, "\(name)")
        }
    }

    @Test(arguments: ["none", "none\r", "\"none\"", " none "])
    func `the status listener alone may be left out`(text: String) async throws {
        let port = try await SettingsTests.read(["DIALTONE_STATUS_LISTEN": text]).statusListen?.port
        #expect(port == nil)
        let error = await #expect(throws: SettingsError.self) {
            _ = try await SettingsTests.read(["DIALTONE_LISTEN": text])
        }
        #expect(error?.problems.first?.hasPrefix("DIALTONE_LISTEN must be host:port") == true)
    }
}
