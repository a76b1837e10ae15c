// SPDX-License-Identifier: Apache-2.0
// Settings are read as people write them: with line ends of Windows, in quotes, and from env files that are no scripts.

import Composition
import Foundation
import Logging
import Model
import Testing

@Suite struct SettingTextTests {
    static let surroundings = [
        "%", "%\r", "%\r\n", "\"%\"", "'%'", "\"%\"\r\n", " % ", "\u{FEFF}%\n", "\"% \"",
    ]

    @Test(arguments: SettingTextTests.surroundings)
    func `what surrounds a value is no part of it`(form: String) async throws {
        let around = { (value: String) in form.replacing("%", with: value) }
        let settings = try await SettingsTests.read([
            "DATABASE_URL": around(SettingsTests.database), "TELNYX_API_KEY": around("KEY-1"),
            "DIALTONE_LISTEN": around("[::1]:8081"), "DIALTONE_LEASE": around("40s"),
            "DIALTONE_CONCURRENCY": around("7"), "TELNYX_CONNECTION_ID": around("123"),
            "DIALTONE_LOG_LEVEL": around("debug"), "DIALTONE_PUBLIC_URL": around("https://hooks.example.com"),
            "DIALTONE_KEK": around("file:/run/secrets/kek"), "TELNYX_BASE_URL": around("http://127.0.0.1:1/v2"),
        ])
        #expect(settings.databaseURL.reveal() == SettingsTests.database && settings.telnyxKey?.reveal() == "KEY-1")
        #expect(settings.listenHost == "::1" && settings.listenPort == 8081 && settings.lease == .seconds(40))
        #expect(settings.concurrency == 7 && settings.connectionID == "123" && settings.logLevel == .debug)
        #expect(settings.publicURL == "https://hooks.example.com" && settings.kek == "file:/run/secrets/kek")
        #expect(settings.telnyxBaseURL == "http://127.0.0.1:1/v2")
    }

    @Test(arguments: SettingTextTests.surroundings)
    func `what surrounds a secret in its file is no part of it`(form: String) async throws {
        try await SettingsTests.withFile(form.replacing("%", with: "KEY-1"), "key") { path in
            let settings = try await SettingsTests.read(["TELNYX_API_KEY_FILE": "\(path)\r"])
            #expect(settings.telnyxKey?.reveal() == "KEY-1")
        }
    }

    @Test func `quotes within a connection string stay`() async throws {
        let text = "host=127.0.0.1 dbname=dialtone password='it is'"
        let settings = try await SettingsTests.read(["DATABASE_URL": text])
        #expect(settings.databaseURL.reveal() == text)
    }

    @Test(arguments: [
        "DIALTONE_LISTEN\r", "DATABASE_URL\r", "TELNYX_API_KEY\r", " DIALTONE_KEK", "DIALTONE_LEASE_X\r",
        "HTTPS_PROXY\r", "https_proxy\r", "NO_PROXY\r", "no_proxy ", "OUR_KEY\r",
    ])
    func `a name that an env file has spoilt is reported`(name: String) async throws {
        let error = await #expect(throws: SettingsError.self) {
            _ = try await SettingsTests.read([name: "hunter2", "DIALTONE_KEK": "env:OUR_KEY\r"])
        }
        let bare = name.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(error?.problems.contains { $0.hasPrefix("\(bare) has a carriage return") } == true, "\(error as Any)")
        #expect(error?.problems.joined().contains("\r") == false)
    }

    @Test func `a spoilt name that the program does not read is nobody's trouble`() async throws {
        _ = try await SettingsTests.read(["HTTP_PROXY\r": "hunter2", "PATH ": "/bin", "DIALTONE_KEK": "file:/kek"])
    }

    @Test func `an empty secret file is reported`() async throws {
        try await SettingsTests.withFile("\r\n", "key") { path in
            let error = await #expect(throws: SettingsError.self) {
                _ = try await SettingsTests.read(["TELNYX_API_KEY_FILE": path])
            }
            #expect(error?.problems.first?.hasPrefix("TELNYX_API_KEY_FILE names \(path), which is empty") == true)
        }
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:1", "localhost", 1), ("[::1]:8080", "::1", 8080),
        ("[::]:0", "::", 0), (":0", "127.0.0.1", 0),
    ])
    func `an address to listen on has a host, and brackets around IPv6`(text: String, host: String, port: Int) throws {
        let address = try #require(Settings.address(text))
        #expect(address.host == host && address.port == port)
        if text != ":0" { #expect(ListenAddress.shown(host: host, port: port) == text) }
    }

    @Test(arguments: [":8080", "*:8080"])
    func `a port alone means every address`(text: String) throws {
        let address = try #require(Settings.address(text))
        #expect(ListenAddress.isEveryAddress(address.host) && address.port == 8080)
    }

    @Test func `the public URL may be an IPv6 address in brackets`() async throws {
        let settings = try await SettingsTests.read(["DIALTONE_PUBLIC_URL": "https://[2001:db8::1]:8443/"])
        #expect(settings.publicURL == "https://[2001:db8::1]:8443")
    }
}
