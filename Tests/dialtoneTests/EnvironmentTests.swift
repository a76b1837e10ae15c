// SPDX-License-Identifier: Apache-2.0
// The program's own environment holds no secret once it runs, so no child of it inherits one.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct EnvironmentTests {
    /// The demo starts the only children that the program has: its PostgreSQL server and the guard of that.
    @Test func `no child inherits a secret of the environment`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var command = Program.command(
            ["demo", "--users", "1", "--listen", "127.0.0.1:0", "--data-dir", folder.path],
            [
                "PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://u:hunter2@127.0.0.1/d",
                "TELNYX_API_KEY": "hunter2", "TELNYX_PROXY": "http://u:hunter2@127.0.0.1:1",
                "HTTPS_PROXY": "http://u:hunter2@127.0.0.1:1", "https_proxy": "http://u:hunter2@127.0.0.1:1",
                "DIALTONE_SOURCE_SECRET": "hunter2", "DIALTONE_KEK": "env:OUR_KEY", "OUR_KEY": "hunter2",
            ])
        let errors = Listener()
        command.errors = .pipe(errors.pipe)
        let process = try command.start()
        defer { process.terminate() }
        try await errors.waits(for: "credentials: 1 of 1")

        let children = try Self.children(of: process.processIdentifier)
        let inherited = children.compactMap { Self.environment(of: $0) }
        #expect(!inherited.isEmpty, "the guard of the server is a child of ours and may be read by us")
        for text in inherited {
            #expect(text.contains("PATH=/usr/bin:/bin") && !text.contains("hunter2"), "\(text)")
        }
        // The process is not dumpable, so perhaps not even root may read its own.
        if let own = Self.environment(of: process.processIdentifier) { #expect(!own.contains("hunter2")) }
        let code = await Desk.end(process, by: SIGINT)
        #expect(code == 0 || code == 130)
    }

    /// Returns the processes whose parent this is (proc(5), the fourth field of `stat`).
    private static func children(of parent: Int32) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { process in
            // The second field, a name in parentheses, may hold blanks.
            guard let stat = Self.text("/proc/\(process)/stat"), let end = stat.lastIndex(of: ")") else { return false }
            let fields = stat[end...].split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == parent
        }
    }

    private static func environment(of process: Int32) -> String? {
        let text = Self.text("/proc/\(process)/environ")
        return text?.isEmpty == false ? text : nil
    }

    private static func text(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
