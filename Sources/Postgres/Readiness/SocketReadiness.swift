// SPDX-License-Identifier: Apache-2.0
// The one thing the protocol loops ask of the outside: tell me when this socket can be read or written.

/// What a loop waits for.
package struct SocketInterest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Self(rawValue: 1)
    package static let write = Self(rawValue: 2)
}

/// How a wait ended.
package enum SocketWait: Sendable, Equatable {
    /// Ready for at least one of these; a hang-up counts as readable, so that libpq can say what is wrong.
    case ready(SocketInterest)
    case timedOut
    case cancelled
    /// The descriptor cannot be watched.
    case failed(errno: Int32)
}

/// Waits for one connection's socket. The production one is `Reactor.Watch`; tests script theirs.
package protocol SocketReadiness: Sendable {
    /// Waits until `socket` is ready, the deadline passes or, unless shielded, the task is cancelled.
    ///
    /// Cancelled here: answers `.cancelled` and touches nothing; the caller decides what becomes of the statement.
    func wait(
        for interest: SocketInterest, on socket: Int32, until deadline: ContinuousClock.Instant?, shielded: Bool
    ) async -> SocketWait

    /// Forgets the socket. Must come before libpq closes it, because the number is reused.
    func forget()
}
