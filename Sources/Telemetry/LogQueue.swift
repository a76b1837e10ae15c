// SPDX-License-Identifier: Apache-2.0
// Keeps log lines until a thread of its own has written them: no event loop and no worker waits for a reader.
//
// Standard error is often a pipe. When its reader stalls, a write to it blocks. Only this thread then waits. Lines
// beyond the limit are dropped, and their count is written as soon as the reader goes on.

import Foundation
import Glibc
import Synchronization

final class LogQueue: Sendable {
    /// The queue of every logger of the process. The end of the process waits up to two seconds for its last lines.
    static let standardError: LogQueue = {
        atexit { LogQueue.standardError.flush(within: .seconds(2)) }
        return LogQueue(descriptor: STDERR_FILENO)
    }()

    private enum Turn {
        case write([LogBacklog.Entry])
        case sleep(until: ContinuousClock.Instant?)
        case end
    }

    private struct State {
        var backlog: LogBacklog
        /// Whether everything was written, and the thread sleeps or is about to.
        var isIdle = true
        var isEnded = false

        mutating func next(now: ContinuousClock.Instant) -> Turn {
            let entries = self.backlog.take(now: now)
            self.isIdle = entries.isEmpty
            if !entries.isEmpty { return .write(entries) }
            return self.isEnded ? .end : .sleep(until: self.backlog.nextSum)
        }

        /// Returns whether the thread must be woken.
        mutating func leaveIdle() -> Bool {
            defer { self.isIdle = false }
            return self.isIdle
        }
    }

    private let descriptor: Int32
    private let state: Mutex<State>
    /// A byte in this pipe wakes the thread. A lock would need a condition variable, which `Mutex` has not.
    private let sleeper: Int32
    private let waker: Int32

    /// `capacity` is in bytes. As much again may be on its way to the reader.
    init(descriptor: Int32, capacity: Int = 1 << 20) {
        self.descriptor = descriptor
        self.state = Mutex(State(backlog: LogBacklog(capacity: capacity)))
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 { for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) } }
        (self.sleeper, self.waker) = (ends[0], ends[1])
        let thread = Thread { self.run() }
        thread.name = "dialtone-log"
        thread.start()
    }

    // MARK: From any thread

    /// Takes a line to be written soon. Never waits.
    func take(_ record: LogRecord, as format: LogFormat) {
        let mustWake = self.state.withLock { state -> Bool in
            guard state.backlog.add(record, as: format, now: .now) else { return false }
            return state.leaveIdle()
        }
        if mustWake { self.wake() }
    }

    /// Waits until everything is written, but no longer than the limit. Returns whether everything was.
    @discardableResult
    func flush(within limit: Duration) -> Bool {
        let mustWake = self.state.withLock { state -> Bool in
            guard state.backlog.nextSum != nil else { return false }
            state.backlog.endSums(now: .now)
            return state.leaveIdle()
        }
        if mustWake { self.wake() }
        let deadline = ContinuousClock.now + limit
        while !self.state.withLock({ $0.isIdle }) {
            guard ContinuousClock.now < deadline else { return false }
            usleep(1000)
        }
        return true
    }

    /// Ends the thread after the last line. The queue takes no line after this.
    func end() {
        self.state.withLock { state in
            state.isEnded = true
            // Under the lock, because the thread closes the pipe once it has seen the end.
            self.wake()
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = Glibc.write(self.waker, &byte, 1)
    }

    // MARK: The thread

    private func run() {
        Self.outliveBrokenPipes()
        while true {
            switch self.state.withLock({ $0.next(now: .now) }) {
            case .write(let entries): self.write(entries)
            case .sleep(let instant): self.sleep(until: instant)
            case .end:
                for end in [self.sleeper, self.waker] { _ = close(end) }
                return
            }
        }
    }

    /// A write into a pipe that nobody reads any more raises SIGPIPE in the thread that writes.
    private static func outliveBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Sleeps until a line comes or a sum is due. Without a pipe it looks 50 times a second.
    private func sleep(until instant: ContinuousClock.Instant?) {
        var milliseconds: Int32 = self.sleeper < 0 ? 20 : -1
        if let instant {
            let left = (instant - .now).components
            milliseconds = Int32(clamping: max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000) + 1)
        }
        var watched = pollfd(fd: self.sleeper, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, milliseconds) > 0 else { return }
        var byte: UInt8 = 0
        _ = read(self.sleeper, &byte, 1)
    }

    /// Writes each line by one call, so that lines of several processes do not mix.
    private func write(_ entries: [LogBacklog.Entry]) {
        for (place, entry) in entries.enumerated() {
            guard Self.write(Array(entry.format.line(of: entry.record).utf8), to: self.descriptor) else {
                // Nobody reads any more. The service goes on without its log.
                self.state.withLock { $0.backlog.lose(entries.count - place) }
                return
            }
        }
    }

    /// Returns whether all bytes were written. Waits as long as the reader does not read.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&watched, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
