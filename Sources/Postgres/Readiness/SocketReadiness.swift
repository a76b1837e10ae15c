// SPDX-License-Identifier: Apache-2.0
// The protocol loops ask one thing of the outside: to be told when a socket can be read or written.

/// The readiness that a loop waits for.
package struct SocketInterest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Self(rawValue: 1)
    package static let write = Self(rawValue: 2)
}

/// How a wait ended.
package enum SocketWait: Sendable, Equatable {
    /// Ready for at least one of these. A hang-up counts as readable, so that libpq can say what is wrong.
    case ready(SocketInterest)
    case timedOut
    case cancelled
    /// The descriptor cannot be watched.
    case failed(errno: Int32)
}

/// Waits for one connection's socket. In the program it is `Reactor.Watch`.
package protocol SocketReadiness: Sendable {
    /// Waits until `socket` is ready, the deadline passes or, unless shielded, the task is cancelled.
    ///
    /// Cancelled here: returns `.cancelled` and touches nothing; the caller decides what becomes of the statement.
    func wait(
        for interest: SocketInterest, on socket: Int32, until deadline: ContinuousClock.Instant?, shielded: Bool
    ) async -> SocketWait

    /// Forgets the socket. Must be called before libpq closes it, because the number is reused.
    func forget()
}
