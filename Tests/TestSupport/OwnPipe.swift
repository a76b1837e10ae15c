// SPDX-License-Identifier: Apache-2.0
// A pipe to one child process alone, so that its end of file means that this child has ended.

package import Foundation
import Glibc

extension Pipe {
    /// Makes a pipe whose ends are closed in every program that is started, but for the one that gets it.
    ///
    /// Tests start many processes at once. Without this a process of another test may inherit the writing end, and
    /// whoever reads to the end waits for that process too.
    package static func own() -> Pipe {
        let pipe = Pipe()
        for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        return pipe
    }

    /// Returns what the child says, piece by piece, until every process that may write has ended.
    ///
    /// A thread of its own reads. With `readabilityHandler` the end of one pipe among hundreds was not told now and
    /// then, and its test waited for ever.
    package func pieces() -> AsyncStream<Data> {
        let (pieces, piece) = AsyncStream<Data>.makeStream()
        let reading = self.fileHandleForReading
        Thread.detachNewThread {
            while let bytes = reading.more() { piece.yield(bytes) }
            piece.finish()
        }
        return pieces
    }

    /// Returns all that the child says until every process that may write has ended. Blocks the thread.
    package func rest() -> Data {
        var told = Data()
        while let bytes = self.fileHandleForReading.more() { told += bytes }
        return told
    }
}

extension FileHandle {
    /// Waits for bytes and returns them; nil at the end of the file. Blocks the thread.
    ///
    /// Foundation's `availableData` ends the program when a signal interrupts its read(2).
    package func more() -> Data? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var count = 0
        repeat { count = Glibc.read(self.fileDescriptor, &bytes, bytes.count) } while count < 0 && errno == EINTR
        return count > 0 ? Data(bytes[..<count]) : nil
    }
}
