// SPDX-License-Identifier: Apache-2.0
// The loops of libpq's protocol: connect, send while reading, and read until no result is owed.
//
// A loop never touches a socket. Whenever libpq would block, it tells `SocketReadiness` whether it needs the socket
// readable or writable, waits, and goes on. `PipelinePlan` queues commands and lists the results they will owe.
// `PendingResults` matches each result that arrives with the statement that owes it. `StatementCache` knows which
// statements the server has parsed, and `ConnectionState` lets one exchange in at a time. An order of results that must
// not occur closes the connection.

import CLibpq

/// The loops of one connection, written against `SocketReadiness`.
struct Exchange {
    let handle: PQConnection
    let readiness: any SocketReadiness

    /// How an exchange ended for the connection.
    enum End {
        case complete
        /// The task was cancelled, and results are still owed.
        case cancelled
        case failed(PostgresError)
    }

    /// Drives `PQconnectPoll` until the connection is made (34.1). `PQconnectStartParams` must have begun it already.
    ///
    /// It begins as if libpq had said WRITING, and asks for the socket each turn, because libpq may have replaced it.
    /// Throws `.connectFailed` when libpq gives up or the deadline passes.
    /// Cancelled here: throws; the half-made connection is freed by its owner.
    func connect(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        var interest: SocketInterest = .write
        while true {
            guard self.handle.status != CONNECTION_BAD else { throw self.connectFailure() }
            switch await self.readiness.wait(
                for: interest, on: self.handle.socket, until: deadline, shielded: false)
            {
            case .ready: break
            case .timedOut: throw PostgresError(.connectFailed, "the server did not answer in time")
            case .cancelled: throw PostgresError(.cancelled, "cancelled while connecting")
            case .failed: throw PostgresError(.connectFailed, "the socket cannot be watched")
            }
            switch self.handle.connectPoll() {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: interest = .read
            case PGRES_POLLING_WRITING: interest = .write
            default: throw self.connectFailure()
            }
        }
    }

    /// Sends the queued commands and reads until no result is owed. The commands of `pending` must have been queued
    /// already.
    ///
    /// While bytes are left to send, it waits for readable *or* writable and reads whenever it can. A server whose own
    /// buffer is full does not read, so a wait for writable alone would never end (34.4, `PQflush`).
    /// Cancelled here: returns `.cancelled`; results are still owed.
    func receiveResults(
        _ pending: inout PendingResults<PostgresRows>, until deadline: ContinuousClock.Instant? = nil, shielded: Bool,
        onNotification: (PostgresNotification) -> Void = { _ in }
    ) async -> End {
        var unsent = self.handle.flush()
        while true {
            if unsent < 0 { return .failed(self.lost(pending.lastWords)) }
            let interest: SocketInterest = unsent > 0 ? [.read, .write] : .read
            switch await self.readiness.wait(
                for: interest, on: self.handle.socket, until: deadline, shielded: shielded)
            {
            case .ready(let ready):
                if ready.contains(.read) && !self.handle.consumeInput() { return .failed(self.lost(pending.lastWords)) }
            case .timedOut: return .failed(PostgresError(.connectionLost, "the server did not answer in time"))
            case .cancelled: return .cancelled
            case .failed: return .failed(self.lost(pending.lastWords))
            }
            if unsent > 0 { unsent = self.handle.flush() }
            while let notification = self.handle.nextNotification() { onNotification(notification) }
            if let end = self.collect(&pending) { return end }
        }
    }

    /// Takes every result that has arrived whole. `PQgetResult` would block on a part of one. Returns nil while results
    /// are still owed.
    private func collect(_ pending: inout PendingResults<PostgresRows>) -> End? {
        while !self.handle.isBusy {
            let arrival = self.arrival(self.handle.nextResult())
            if self.handle.status == CONNECTION_BAD { return .failed(self.lost(pending.lastWords)) }
            switch pending.arrived(arrival) {
            case .more: continue
            case .complete: return .complete
            case .violation(let what): return .failed(PostgresError(.protocolViolation, what))
            }
        }
        return nil
    }

    private func arrival(_ result: PQResult?) -> PendingResults<PostgresRows>.Arrival {
        guard let result else { return .endOfStatement }
        return switch result.status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .rows(PostgresRows(result: result))
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE: .failed(result.error)
        case PGRES_PIPELINE_SYNC: .sync
        case PGRES_PIPELINE_ABORTED: .aborted
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: .unexpected("COPY is not supported here")
        default: .unexpected("libpq gave an unknown kind of result")
        }
    }

    /// `words`: the reason that the server gave before it ended the session; nil when it gave none.
    private func lost(_ words: String?) -> PostgresError {
        PostgresError(.connectionLost, words ?? "the connection to the server was lost")
    }

    private func connectFailure() -> PostgresError {
        PostgresError(.connectFailed, self.handle.errorMessage)
    }
}
