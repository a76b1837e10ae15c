// SPDX-License-Identifier: Apache-2.0
// The journal, from which a killed simulator finds its credentials again.

import Foundation
import Glibc

/// One line of the journal.
enum JournalEntry: Codable, Sendable {
    case put(SimulatedCredential, isNew: Bool)
    case deleted(String)
}

/// An append-only file of JSON lines. Each is handed to the kernel before the response, so that a killed simulator
/// forgets nothing. It holds SIP passwords, so only its owner may open it.
final class Journal {
    private let file: FileHandle
    private let encoder = JSONEncoder()

    /// Opens the file and replays its entries. Drops a last line that a kill cut short: its request got no response.
    init(path: String, replay: (JournalEntry) -> Void) throws {
        let decoder = JSONDecoder()
        if let data = FileManager.default.contents(atPath: path) {
            for line in data.split(separator: UInt8(ascii: "\n")) {
                if let entry = try? decoder.decode(JournalEntry.self, from: Data(line)) { replay(entry) }
            }
        }
        Self.makeOwn(path)
        self.file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        // After a line that was cut short, the next line must begin on its own.
        if try self.file.seekToEnd() > 0 { try self.file.write(contentsOf: Data("\n".utf8)) }
    }

    /// Makes the file if there is none, and closes one of before to others. A failure shows itself when it is opened.
    private static func makeOwn(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        fchmod(descriptor, 0o600)
        close(descriptor)
    }

    func append(_ entry: JournalEntry) throws {
        var line = try self.encoder.encode(entry)
        line.append(UInt8(ascii: "\n"))
        try self.file.write(contentsOf: line)
    }
}
