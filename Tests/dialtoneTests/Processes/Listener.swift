// SPDX-License-Identifier: Apache-2.0
// Hears what a process says on a pipe.

import Foundation
import TestSupport
import Testing

/// The reading end of a process's standard output or standard error.
final class Listener {
    let pipe = Pipe.own()
    private var parts: AsyncStream<Data>?
    private(set) var heard = ""

    /// `isStalled`: nobody reads until `listen` is called.
    init(isStalled: Bool = false) {
        if !isStalled { self.listen() }
    }

    /// Begins to read.
    func listen() { self.parts = self.pipe.pieces() }

    /// Waits for the end of the process, and returns everything that it has said.
    func rest() async -> String {
        guard let parts else { return self.heard }
        for await part in parts { self.heard += String(decoding: part, as: UTF8.self) }
        return self.heard
    }

    /// Waits until the process has said these words. Fails when the process ends first.
    func waits(for words: String) async throws {
        if self.heard.contains(words) { return }
        if let parts {
            for await part in parts {
                self.heard += String(decoding: part, as: UTF8.self)
                if self.heard.contains(words) { return }
            }
        }
        try #require(self.heard.contains(words), "the process ended and said: \(self.heard)")
    }
}
