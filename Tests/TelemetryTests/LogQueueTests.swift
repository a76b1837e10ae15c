// SPDX-License-Identifier: Apache-2.0
// A reader that stalls holds nobody up: the log goes on when the reader does, and tells what was lost.

import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import Telemetry

@Suite struct LogQueueTests {
    /// Lends a queue that writes into a pipe, and the pipe's reading end. Nobody reads from it but the test.
    private static func withQueue(capacity: Int, _ work: (LogQueue, FileHandle) throws -> Void) rethrows {
        let pipe = Pipe()
        let queue = LogQueue(descriptor: pipe.fileHandleForWriting.fileDescriptor, capacity: capacity)
        defer {
            // A thread that still waits for a reader is let go by the close.
            try? pipe.fileHandleForReading.close()
            queue.flush(within: .seconds(30))
            queue.end()
        }
        try work(queue, pipe.fileHandleForReading)
    }

    /// Reads until the text is enough, or nothing is written for ten seconds.
    private static func read(_ reader: FileHandle, until isEnough: (String) -> Bool) -> String {
        var text = ""
        while !isEnough(text) {
            var readable = pollfd(fd: reader.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&readable, 1, 10_000) == 1 else { break }
            guard let bytes = reader.more() else { break }
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    private static func record(_ number: Int) -> LogRecord {
        LogRecord(
            time: Date(timeIntervalSince1970: 0), level: .info, label: "dialtone", message: "line \(number)", facts: [])
    }

    @Test func `a reader that stalls holds up no caller, and hears afterwards how many lines were dropped`() {
        Self.withQueue(capacity: 100_000) { queue, reader in
            // The pipe takes 64 KiB. After that a direct write would wait for ever.
            let lines = 20_000
            for number in 1...lines { queue.take(Self.record(number), as: .json) }
            #expect(!queue.flush(within: .milliseconds(20)), "the reader reads, although nobody asked it to")

            let text = Self.read(reader) { Self.count($0).written + Self.count($0).dropped >= lines }
            let (written, dropped) = Self.count(text)
            #expect(dropped > 0 && written + dropped == lines, "\(written) written, \(dropped) dropped")
        }
    }

    /// Returns how many lines a log holds, and how many it says were dropped. It says so once for each time it lost some.
    private static func count(_ text: String) -> (written: Int, dropped: Int) {
        var (written, dropped) = (0, 0)
        for line in text.split(separator: "\n") {
            if !line.contains("log lines were dropped") {
                written += 1
            } else if let lines = line.firstMatch(of: /"lines":"(\d+)"/).flatMap({ Int($0.output.1) }) {
                dropped += lines
            }
        }
        return (written, dropped)
    }

    @Test func `lines are written soon, in their order and unchanged`() {
        Self.withQueue(capacity: 1 << 20) { queue, reader in
            for number in 1...100 { queue.take(Self.record(number), as: .text) }
            #expect(queue.flush(within: .seconds(30)))
            let lines = Self.read(reader) { $0.hasSuffix(" 100\n") }.split(separator: "\n")
            #expect(lines.map { $0.split(separator: " ").last.map(String.init) } == (1...100).map { "\($0)" })
        }
    }

    @Test func `a log that nobody reads any more ends neither the process nor the queue`() throws {
        try Self.withQueue(capacity: 1 << 20) { queue, reader in
            try reader.close()
            for number in 1...100 { queue.take(Self.record(number), as: .json) }
            #expect(queue.flush(within: .seconds(30)))
        }
    }
}
