// SPDX-License-Identifier: Apache-2.0
// Prometheus' own judge of a scrape: `promtool check metrics`.

import Foundation

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = ["check", "metrics"]
        process.standardInput = try FileHandle(forReadingFrom: input)
        let words = try FileHandle(forWritingTo: output)
        process.standardOutput = words
        process.standardError = words
        let code = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return (code, try String(contentsOf: output, encoding: .utf8))
    }
}
