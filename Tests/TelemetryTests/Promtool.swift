// SPDX-License-Identifier: Apache-2.0
// Prometheus' own judge of a scrape: `promtool check metrics`.

import Foundation
import TestSupport

enum Promtool {
    /// Where it is; nil when it is not installed (Debian's package is `prometheus`).
    static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Returns its exit code and what it says of the page.
    static func check(_ page: String, with tool: String) async throws -> (code: Int32, words: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appendingPathComponent("in"), folder.appendingPathComponent("out"))
        try page.write(to: input, atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        var command = Command(tool, ["check", "metrics"])
        command.input = .file(try FileHandle(forReadingFrom: input))
        let words = try FileHandle(forWritingTo: output)
        command.output = .file(words)
        command.errors = .file(words)
        let code = try await command.start().ended()
        return (code, try String(contentsOf: output, encoding: .utf8))
    }
}
