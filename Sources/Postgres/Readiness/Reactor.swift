// SPDX-License-Identifier: Apache-2.0
// One thread that watches every connection's socket with epoll and wakes the task that waits for it.
//
// A task that needs its socket suspends instead of blocking a thread. It stores its continuation and its deadline here
// and arms the socket. One thread sleeps in epoll_wait(2) for all connections, until an event or the next deadline. A
// wait ends exactly once: the socket is ready, the deadline passes, the task is cancelled, or the socket cannot be
// watched. Only the code that takes the waiter out under the lock resumes it.

import CLibpq
import Foundation
import Synchronization

/// The process's epoll thread.
///
/// It is level-triggered, because `PQconsumeInput` may leave bytes in the socket that an edge would not report again.
/// It is one-shot, so that a ready socket stays quiet until its task waits anew (epoll(7)). Entries are keyed by watch,
/// not by descriptor.
@safe package final class Reactor: Sendable {
    package static let shared = Reactor()

    private struct Entry {
        var socket: Int32 = -1
        var waiter: CheckedContinuation<SocketWait, Never>?
        var deadline: ContinuousClock.Instant?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// The watch that each descriptor in epoll belongs to. libpq may close a descriptor, and another connection may
        /// then get its number.
        var owners: [Int32: UInt64] = [:]
        var nextID: UInt64 = 1
        /// The time until which the thread sleeps; nil means for ever.
        var wakeAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let epoll: Int32
    /// An eventfd(2) that wakes the thread for an earlier deadline.
    private let alarm: Int32

    private init() {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.alarm = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(self.epoll >= 0 && self.alarm >= 0, "the process has no descriptors left for its event loop")
        var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 0))
        _ = unsafe epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.alarm, &event)
        self.startThread()
    }

    /// Returns a place for one connection to wait.
    package func watch() -> Watch {
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            state.entries[state.nextID] = Entry()
            return state.nextID
        }
        return Watch(id: id, reactor: self)
    }

    package struct Watch: SocketReadiness {
        fileprivate let id: UInt64
        fileprivate let reactor: Reactor

        package func wait(
            for interest: SocketInterest, on socket: Int32, until deadline: ContinuousClock.Instant?, shielded: Bool
        ) async -> SocketWait {
            guard !shielded else { return await self.arm(interest, socket, deadline, shielded: true) }
            // Cancelled here: the handler takes the waiter out and wakes it; the epoll entry stays armed and is
            // harmless.
            return await withTaskCancellationHandler {
                await self.arm(interest, socket, deadline, shielded: false)
            } onCancel: {
                self.reactor.end(self.id, with: .cancelled)
            }
        }

        package func forget() { self.reactor.forget(self.id) }

        private func arm(
            _ interest: SocketInterest, _ socket: Int32, _ deadline: ContinuousClock.Instant?, shielded: Bool
        ) async -> SocketWait {
            await withCheckedContinuation { continuation in
                self.reactor.arm(self.id, interest, socket, deadline, shielded: shielded, continuation)
            }
        }
    }

    // MARK: Called by tasks

    private func arm(
        _ id: UInt64, _ interest: SocketInterest, _ socket: Int32, _ deadline: ContinuousClock.Instant?, shielded: Bool,
        _ continuation: CheckedContinuation<SocketWait, Never>
    ) {
        // The waiter is stored and the socket armed under one lock, so that no event and no cancellation falls between.
        // A cancel handler that ran before is seen by isCancelled. One that runs later finds the waiter.
        let refused: SocketWait? = self.state.withLock { state in
            guard var entry = state.entries[id] else { return .failed(errno: EBADF) }
            if !shielded && Task.isCancelled { return .cancelled }
            guard self.register(id, &entry, interest, socket) else { return .failed(errno: errno) }
            state.owners[socket] = id
            entry.waiter = continuation
            entry.deadline = deadline
            state.entries[id] = entry
            if let deadline, state.wakeAt.map({ deadline < $0 }) ?? true {
                state.wakeAt = deadline
                self.ring()
            }
            return nil
        }
        if let refused { continuation.resume(returning: refused) }
    }

    private func register(_ id: UInt64, _ entry: inout Entry, _ interest: SocketInterest, _ socket: Int32) -> Bool {
        var events = EPOLLONESHOT.rawValue | EPOLLRDHUP.rawValue
        if interest.contains(.read) { events |= EPOLLIN.rawValue }
        if interest.contains(.write) { events |= EPOLLOUT.rawValue }
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: id))
        // While connecting, libpq may close its socket and open another under the same number. MOD then says ENOENT.
        if entry.socket == socket, unsafe epoll_ctl(self.epoll, EPOLL_CTL_MOD, socket, &event) == 0 { return true }
        entry.socket = socket
        return unsafe epoll_ctl(self.epoll, EPOLL_CTL_ADD, socket, &event) == 0
            || (errno == EEXIST && epoll_ctl(self.epoll, EPOLL_CTL_MOD, socket, &event) == 0)
    }

    private func end(_ id: UInt64, with outcome: SocketWait) {
        let waiter = self.state.withLock { state -> CheckedContinuation<SocketWait, Never>? in
            defer { state.entries[id]?.waiter = nil }
            return state.entries[id]?.waiter
        }
        waiter?.resume(returning: outcome)
    }

    private func forget(_ id: UInt64) {
        let entry = self.state.withLock { state in
            let entry = state.entries.removeValue(forKey: id)
            if let entry, entry.socket >= 0, state.owners[entry.socket] == id {
                state.owners[entry.socket] = nil
                var ignored = unsafe epoll_event()
                _ = unsafe epoll_ctl(self.epoll, EPOLL_CTL_DEL, entry.socket, &ignored)
            }
            return entry
        }
        entry?.waiter?.resume(returning: .failed(errno: EBADF))
    }

    // MARK: The thread

    private func startThread() {
        let thread = Thread { self.loop() }
        thread.name = "dialtone-epoll"
        thread.start()
    }

    private func loop() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = unsafe epoll_wait(self.epoll, &events, Int32(events.count), self.timeout())
            if count < 0 && errno != EINTR { return }
            for place in 0..<Int(max(0, count)) { unsafe self.deliver(events[place]) }
            self.expire()
        }
    }

    private func deliver(_ event: epoll_event) {
        let id = unsafe event.data.u64
        guard id != 0 else {
            var rings: UInt64 = 0
            _ = unsafe read(self.alarm, &rings, 8)
            return
        }
        var ready: SocketInterest = []
        if unsafe event.events & EPOLLOUT.rawValue != 0 { ready.insert(.write) }
        if unsafe event.events & ~EPOLLOUT.rawValue != 0 { ready.insert(.read) }
        self.end(id, with: .ready(ready))
    }

    private func ring() {
        var one: UInt64 = 1
        _ = unsafe write(self.alarm, &one, 8)
    }

    /// Returns the milliseconds until the next deadline, rounded up, or -1 when there is none.
    private func timeout() -> Int32 {
        self.state.withLock { state in
            guard let wakeAt = state.wakeAt else { return -1 }
            let left = wakeAt - .now
            guard left > .zero else { return 0 }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            return Int32(clamping: milliseconds)
        }
    }

    private func expire() {
        let now = ContinuousClock.now
        let late = self.state.withLock { state -> [CheckedContinuation<SocketWait, Never>] in
            guard let wakeAt = state.wakeAt, wakeAt <= now else { return [] }
            var late: [CheckedContinuation<SocketWait, Never>] = []
            var next: ContinuousClock.Instant?
            for (id, entry) in state.entries {
                guard let waiter = entry.waiter, let deadline = entry.deadline else { continue }
                if deadline <= now {
                    state.entries[id]?.waiter = nil
                    late.append(waiter)
                } else {
                    next = min(next ?? deadline, deadline)
                }
            }
            state.wakeAt = next
            return late
        }
        for waiter in late { waiter.resume(returning: .timedOut) }
    }
}
