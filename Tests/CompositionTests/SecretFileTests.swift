// SPDX-License-Identifier: Apache-2.0
// A secret's file is replaced in every way that people replace files; what is no secret changes nothing and stops nobody.

import Dispatch
import Foundation
import Glibc
import Model
import Synchronization
import Testing

@testable import Composition

@Suite struct SecretFileTests {
    private final class News: Sendable {
        let heard = Mutex<[SecretSource.Reading]>([])
        var all: [SecretSource.Reading] { self.heard.withLock { $0 } }
    }

    /// One secret that stands in a file: its setting, and two texts of the file.
    struct Kind: Sendable, CustomTestStringConvertible {
        let setting: String
        let old: String
        let new: String

        var testDescription: String { self.setting }

        func source(at path: String) async throws -> SecretSource {
            let settings = try await Settings.read(
                environment: ["DATABASE_URL": SettingsTests.database, self.setting: path]
                    .filter { $0.key + "_FILE" != self.setting })
            let source = self.setting.hasPrefix("DATABASE") ? settings.secrets.database : settings.secrets.provider
            return try #require(source)
        }
    }

    static let kinds = [
        Kind(setting: "TELNYX_API_KEY_FILE", old: "KEY-1", new: "KEY-2"),
        Kind(
            setting: "DATABASE_URL_FILE", old: SettingsTests.database,
            new: SettingsTests.database.replacing("hunter2", with: "hunter3")),
    ]

    /// Puts into the place of the secret's file what is no secret.
    static let wrong: [(name: String, put: @Sendable (String) throws -> Void)] = [
        ("nothing", { _ in }), ("an empty file", { try "".write(toFile: $0, atomically: true, encoding: .utf8) }),
        ("blanks", { try " \r\n".write(toFile: $0, atomically: true, encoding: .utf8) }),
        ("a folder", { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) }),
        ("a named pipe", { path in #expect(mkfifo(path, 0o600) == 0) }),
        (
            "a link to a named pipe",
            { path in
                #expect(mkfifo(path + ".pipe", 0o600) == 0)
                #expect(symlink(path + ".pipe", path) == 0)
            }
        ),
        ("a device", { path in #expect(symlink("/dev/zero", path) == 0) }),
        ("a link to itself", { path in #expect(symlink(path, path) == 0) }),
        ("bytes that are no text", { try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: $0)) }),
        ("a megabyte", { try Data(count: 1 << 20).write(to: URL(fileURLWithPath: $0)) }),
    ]

    @Test(.timeLimit(.minutes(10)), arguments: Self.kinds)
    func `what is no secret leaves the old one in use, stops nobody and is told once`(_ kind: Kind) async throws {
        for (name, put) in Self.wrong {
            try await Self.withFolder { folder in
                let path = folder + "/secret"
                try kind.old.write(toFile: path, atomically: true, encoding: .utf8)
                let source = try await kind.source(at: path)
                let news = News()
                source.onNews { reading in news.heard.withLock { $0.append(reading) } }
                try FileManager.default.removeItem(atPath: path)
                try put(path)
                for _ in 1...2 { #expect(source.readAgain() == .unusable, "\(name)") }
                #expect(await source.renewed(refused: Secret(kind.old))?.reveal() == nil, "\(name)")
                #expect(source.url() == kind.old && source.current.reveal() == kind.old, "\(name)")
                #expect(news.all == [.unusable], "\(name): one line, and not one for each call")
                source.readAgain(isAsked: true)
                #expect(news.all == [.unusable, .unusable], "\(name): an operator hears of each try")

                // The new file takes the place of the wrong one.
                try? FileManager.default.removeItem(atPath: path)
                try kind.new.write(toFile: path, atomically: true, encoding: .utf8)
                #expect(source.readAgain() == .changed && source.current.reveal() == kind.new, "\(name)")
            }
        }
    }

    @Test(arguments: Self.kinds)
    func `a new secret is read from a file that was renamed into its place, however it was saved`(
        _ kind: Kind
    ) async throws {
        for form in SettingTextTests.surroundings {
            try await Self.withFolder { folder in
                let path = folder + "/secret"
                try kind.old.write(toFile: path, atomically: false, encoding: .utf8)
                let source = try await kind.source(at: path)
                try form.replacing("%", with: kind.new).write(toFile: path + ".new", atomically: false, encoding: .utf8)
                #expect(rename(path + ".new", path) == 0)
                #expect(source.url() == kind.new, "\(form.debugDescription)")
            }
        }
    }

    /// The file is a link into a folder that is a link itself. Kubernetes swaps the folder's link.
    @Test(arguments: Self.kinds)
    func `a new secret is read after the swap of a mounted folder`(_ kind: Kind) async throws {
        try await Self.withFolder { folder in
            for (version, text) in [("..1", kind.old), ("..2", kind.new)] {
                let place = "\(folder)/\(version)"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                try text.write(toFile: place + "/secret", atomically: false, encoding: .utf8)
            }
            #expect(symlink("..1", folder + "/..data") == 0 && symlink("..data/secret", folder + "/secret") == 0)
            let source = try await kind.source(at: folder + "/secret")
            #expect(source.isRenewable && source.readAgain() == .same)
            #expect(symlink("..2", folder + "/..new") == 0 && rename(folder + "/..new", folder + "/..data") == 0)
            #expect(await source.renewed(refused: Secret(kind.old))?.reveal() == kind.new)
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a slow file holds up neither the secret in use nor a new connection`() async throws {
        let (began, begin) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let source = SecretSource(
            name: "TELNYX_API_KEY", value: "old",
            text: {
                begin.yield()
                gate.wait()
                return "new"
            }, isUsable: { _ in true })
        async let renewed = source.renewed(refused: Secret("old"))
        for await _ in began { break }
        // The file is being read now, and its reader waits.
        #expect(source.current.reveal() == "old" && source.url() == "old")
        gate.signal()
        let key = await renewed
        #expect(key?.reveal() == "new" && source.current.reveal() == "new")
    }

    @Test func `of many calls that are refused together, one reads the file`() async throws {
        let reads = Mutex(0)
        let source = SecretSource(
            name: "TELNYX_API_KEY", value: "old",
            text: {
                reads.withLock { $0 += 1 }
                return "new"
            }, isUsable: { _ in true })
        await withTaskGroup(of: String?.self) { group in
            for _ in 1...50 { group.addTask { await source.renewed(refused: Secret("old"))?.reveal() } }
            for await key in group { #expect(key == "new") }
        }
        let count = reads.withLock { $0 }
        #expect(count == 1)
    }

    /// Lends a folder that is removed afterwards.
    private static func withFolder(_ work: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secret-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await work(folder.path)
    }
}
