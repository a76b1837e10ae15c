// SPDX-License-Identifier: Apache-2.0
// A password or a key changes in its file, and the process uses the new one; a broken file changes nothing.

import Composition
import Foundation
import Model
import Synchronization
import Testing

@Suite struct SecretSourceTests {
    private final class Changes: Sendable { let count = Mutex(0) }

    private static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test func `a key whose file changes is another one after it was refused`() async throws {
        try await SettingsTests.withFile("KEY-1\n", "key") { path in
            let settings = try await SettingsTests.read(["TELNYX_API_KEY_FILE": path])
            let source = try #require(settings.secrets.provider)
            let changes = Changes()
            source.onNews { if $0 == .changed { changes.count.withLock { $0 += 1 } } }
            #expect(await source.renewed(refused: Secret("KEY-1"))?.reveal() == nil, "the file has no other key yet")
            try Self.write("\"KEY-2\"\r\n", to: path)
            #expect(source.current.reveal() == "KEY-1")
            #expect(await source.renewed(refused: Secret("KEY-1"))?.reveal() == "KEY-2")
            // A call that was under way with the old key is refused later, and the new key is known already.
            #expect(await source.renewed(refused: Secret("KEY-1"))?.reveal() == "KEY-2")
            #expect(await source.renewed(refused: Secret("KEY-2"))?.reveal() == nil)
            let count = changes.count.withLock { $0 }
            #expect(count == 1)
        }
    }

    @Test(arguments: ["", "two words", "KEY-1\nKEY-2"])
    func `a file that holds no key changes nothing`(text: String) async throws {
        try await SettingsTests.withFile("KEY-1", "key") { path in
            let settings = try await SettingsTests.read(["TELNYX_API_KEY_FILE": path])
            let source = try #require(settings.secrets.provider)
            try Self.write(text, to: path)
            #expect(source.readAgain() == .unusable && source.current.reveal() == "KEY-1")
            try FileManager.default.removeItem(atPath: path)
            #expect(source.readAgain() == .unusable && source.current.reveal() == "KEY-1")
            try Self.write("KEY-1", to: path)
            #expect(source.readAgain() == .same)
        }
    }

    @Test func `a connection asks for the password that the file has at that moment`() async throws {
        try await SettingsTests.withFile(SettingsTests.database, "url") { path in
            let settings = try await Settings.read(environment: ["DATABASE_URL_FILE": path])
            let url = settings.secrets.database.url
            #expect(url() == SettingsTests.database)
            let other = SettingsTests.database.replacing("hunter2", with: "hunter3")
            try Self.write(other, to: path)
            #expect(url() == other && settings.secrets.directDatabase.url() == other)
            try Self.write("postgresql://h/?half=", to: path)
            #expect(url() == other)
        }
    }

    @Test func `a secret without a file never changes, and none is ever shown`() async throws {
        let settings = try await SettingsTests.read(["TELNYX_API_KEY": "KEY-1"])
        let source = try #require(settings.secrets.provider)
        #expect(source.readAgain() == .same)
        #expect(await source.renewed(refused: Secret("KEY-1"))?.reveal() == nil)
        #expect(!"\(settings)".contains("KEY-1") && !"\(settings)".contains("hunter2"))
    }
}
