// SPDX-License-Identifier: Apache-2.0
// One PGconn: each libpq call we make, by its own name, with no waiting and no policy.
//
// Handles are the only place where libpq reads from a connection or writes to it. Each class owns one C pointer and
// frees it in `deinit`. Each method is one libpq call and returns what libpq says. The loops that wait, and the rules
// about what to do next, are in `Protocol`. Numbers such as 34.1 are sections of PostgreSQL 15's manual: chapter 34 is
// libpq.

import CLibpq
import Glibc

/// Owns a `PGconn *`. One task at a time uses it, because its owner is an actor.
@safe final class PQConnection {
    private let pointer: OpaquePointer
    private let notices = Notices()

    /// Begins connecting (34.1, `PQconnectStartParams`). Nil only when libpq is out of memory.
    init?(starting parameters: [(keyword: String, value: String)]) {
        let started = unsafe Self.withCStrings(parameters.map(\.keyword)) { keywords in
            unsafe Self.withCStrings(parameters.map(\.value)) { values in
                unsafe PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let started = unsafe started else { return nil }
        unsafe self.pointer = started
        // Notices ("relation exists, skipping") are meant for people at a terminal. The default receiver prints them
        // to stderr. Two notices matter: the server has committed but stopped waiting for its synchronous standby, and
        // the session ends. To an idle connection libpq reports even a FATAL error as a notice.
        unsafe PQsetNoticeReceiver(
            self.pointer,
            { notices, result in
                guard let notices = unsafe notices, let result = unsafe result else { return }
                let seen = unsafe Unmanaged<Notices>.fromOpaque(notices).takeUnretainedValue()
                // R (82) is the function that raised the notice and V (86) its severity (postgres_ext.h). No locale
                // translates them.
                if let function = unsafe PQresultErrorField(result, 82),
                    unsafe String(cString: function) == "SyncRepWaitForLSN"
                {
                    seen.hasGivenUpWaiting = true
                }
                if let severity = unsafe PQresultErrorField(result, 86),
                    unsafe ["FATAL", "PANIC"].contains(String(cString: severity))
                {
                    seen.isEnding = true
                }
            }, Unmanaged.passUnretained(self.notices).toOpaque())
    }

    deinit { unsafe PQfinish(self.pointer) }

    /// Remembers the notices that matter.
    private final class Notices {
        var hasGivenUpWaiting = false
        var isEnding = false
    }

    /// Returns whether the server has stopped waiting for its synchronous standby since the last call.
    func takeHasGivenUpWaiting() -> Bool {
        defer { self.notices.hasGivenUpWaiting = false }
        return self.notices.hasGivenUpWaiting
    }

    // MARK: State

    var status: ConnStatusType { unsafe PQstatus(self.pointer) }
    var transactionStatus: PGTransactionStatusType { unsafe PQtransactionStatus(self.pointer) }
    /// The socket at this moment. libpq may replace it while connecting.
    var socket: Int32 { unsafe PQsocket(self.pointer) }
    var backendPID: Int32 { unsafe PQbackendPID(self.pointer) }
    var serverVersion: Int32 { unsafe PQserverVersion(self.pointer) }
    var isBusy: Bool { unsafe PQisBusy(self.pointer) == 1 }

    /// The connection's own error text in one line. It may name host and user, never a password or a value.
    var errorMessage: String {
        let text = unsafe String(cString: PQerrorMessage(self.pointer))
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    /// Whether the session is no longer what `target_session_attrs` asked for, as far as writes go. `primary` asks for
    /// no more than a server that is no standby.
    ///
    /// The server reports both settings whenever they change (34.2, `PQparameterStatus`, from PostgreSQL 14 on). A
    /// pooler repeats what it heard first, so it may say nothing of a change.
    func isReadOnly(for session: String) -> Bool {
        let names =
            switch session {
            case "read-write": ["default_transaction_read_only", "in_hot_standby"]
            case "primary": ["in_hot_standby"]
            default: [String]()
            }
        return names.contains { name in
            guard let value = unsafe PQparameterStatus(self.pointer, name) else { return false }
            return unsafe String(cString: value) == "on"
        }
    }

    func connectPoll() -> PostgresPollingStatusType { unsafe PQconnectPoll(self.pointer) }
    func setNonblocking() -> Bool { unsafe PQsetnonblocking(self.pointer, 1) == 0 }

    // MARK: Sending

    func send(script: String) -> Bool { unsafe PQsendQuery(self.pointer, script) == 1 }

    func send(_ statement: SQL) -> Bool {
        let types = statement.parameters.map(\.type.rawValue)
        return unsafe Self.withParameters(statement.parameters) { values, lengths, formats in
            unsafe PQsendQueryParams(
                self.pointer, statement.text, Int32(types.count), types, values, lengths, formats, 1) == 1
        }
    }

    func sendPrepare(name: String, _ statement: SQL) -> Bool {
        let types = statement.parameters.map(\.type.rawValue)
        return unsafe PQsendPrepare(self.pointer, name, statement.text, Int32(types.count), types) == 1
    }

    func sendPrepared(name: String, _ parameters: [SQL.Parameter]) -> Bool {
        unsafe Self.withParameters(parameters) { values, lengths, formats in
            unsafe PQsendQueryPrepared(self.pointer, name, Int32(parameters.count), values, lengths, formats, 1) == 1
        }
    }

    func enterPipeline() -> Bool { unsafe PQenterPipelineMode(self.pointer) == 1 }
    func exitPipeline() -> Bool { unsafe PQexitPipelineMode(self.pointer) == 1 }
    func pipelineSync() -> Bool { unsafe PQpipelineSync(self.pointer) == 1 }

    /// Returns 0 when all is sent, 1 when there is more to send, and -1 when the connection is lost.
    func flush() -> Int32 { unsafe PQflush(self.pointer) }

    // MARK: Receiving

    func consumeInput() -> Bool { unsafe PQconsumeInput(self.pointer) == 1 }

    /// Reads what lies in the socket of an idle connection, without waiting. Returns false when the server has closed
    /// it, or has said that it will.
    ///
    /// One call of `PQconsumeInput` is not enough. It takes the server's last words, and only the next call meets the
    /// end of the stream.
    func isAlive() -> Bool {
        for _ in 0..<64 {
            var entry = pollfd(fd: self.socket, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&entry, 1, 0)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return ready == 0 && self.status == CONNECTION_OK && !self.notices.isEnding }
            guard self.consumeInput() else { return false }
            // libpq reads the bytes as messages here. Nobody listens on this connection.
            while self.nextNotification() != nil {}
        }
        return false
    }

    /// Returns the next result, or nil after the last result of a statement.
    ///
    /// Must not be called while `isBusy`: it would block.
    func nextResult() -> PQResult? {
        guard let result = unsafe PQgetResult(self.pointer) else { return nil }
        return unsafe PQResult(result)
    }

    func nextNotification() -> PostgresNotification? {
        guard let notification = unsafe PQnotifies(self.pointer) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe PostgresNotification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra)
        )
    }

    func cancelHandle() -> PQCancelHandle? {
        guard let handle = unsafe PQgetCancel(self.pointer) else { return nil }
        return unsafe PQCancelHandle(handle)
    }
}

/// Owns a `PGcancel *`, with which the server is asked to stop the statement under way.
///
/// Unchecked because libpq guarantees safety without a lock. `PQcancel` "can be safely invoked" from another thread
/// than the connection's (34.7), and the struct is read-only.
@safe final class PQCancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe PQfreeCancel(self.pointer) }

    /// Asks the server to stop the statement. The caller does not learn whether the request came in time.
    ///
    /// Blocks for a connect and one round trip, and is not encrypted (libpq 15).
    func cancel() {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = unsafe PQcancel(self.pointer, buffer.baseAddress, 256)
        }
    }
}

extension PQConnection {
    /// Lends NUL-terminated copies of the strings while `body` runs. The array itself ends with NULL.
    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(bytes.count)
            bytes.append(contentsOf: string.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            var pointers = unsafe offsets.map { offset in unsafe buffer.baseAddress.map { unsafe $0 + offset } }
            unsafe pointers.append(nil)
            return unsafe body(pointers)
        }
    }

    /// Lends the parameters as libpq's three parallel arrays while `body` runs. No pointer outlives `body`.
    private static func withParameters<Value>(
        _ parameters: [SQL.Parameter],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Value
    ) -> Value {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) })
        var offsets: [Int?] = []
        for parameter in parameters {
            offsets.append(parameter.bytes == nil ? nil : bytes.count)
            bytes.append(contentsOf: parameter.bytes ?? [])
        }
        // One spare byte, so that an empty value has an address too. A NULL pointer would mean SQL's NULL.
        bytes.append(0)
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        return unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = unsafe offsets.map { offset in
                unsafe offset.flatMap { at in unsafe start.map { unsafe $0 + at } }
            }
            return unsafe body(values, lengths, formats)
        }
    }
}
