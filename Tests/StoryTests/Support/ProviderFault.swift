// SPDX-License-Identifier: Apache-2.0
// The faults that a test may give the simulated provider, in words.

import Testing

/// One rule of the simulator's `/control/faults`. It applies `times` times, to calls of one kind.
struct ProviderFault: Encodable, Sendable, CustomTestStringConvertible {
    enum Operation: String, Encodable, Sendable {
        case create, delete
    }

    private enum Kind: String, Encodable, Sendable {
        case delay, garbage, status
        case dropAfterCommit = "drop_after_commit"
        case errorAfterCommit = "error_after_commit"
        case lateCreate = "late_create"
        case listLag = "list_lag"
        case rateLimited = "rate_limited"
        case empty500 = "empty_500"
    }

    private var operation = Operation.create
    private var kind: Kind
    private var times = 1
    private var status: Int?
    private var milliseconds: Int?
    private var reset: String?
    private var connection_id: String?

    private init(_ kind: Kind) { self.kind = kind }

    var testDescription: String {
        [self.kind.rawValue, self.status.map { "\($0)" }, self.milliseconds.map { "\($0) ms" }]
            .compactMap { $0 }.joined(separator: " ")
    }

    /// The create is done, and the connection closes without an answer.
    static let lostAnswer = Self(.dropAfterCommit)
    /// The create is done, and the answer is 500.
    static let errorAfterCommit = Self(.errorAfterCommit)
    /// The create is done, and the answer is HTML.
    static let garbage = Self(.garbage)
    /// Nothing is done, and the answer is 500 without a body.
    static let empty500 = Self(.empty500)
    /// 429, for one second, which the answer gives in seconds.
    static let rateLimited: Self = {
        var fault = Self(.rateLimited)
        fault.reset = "seconds"
        return fault
    }()

    /// The answer is 504, and the create lands later.
    static func lateCreate(milliseconds: Int) -> Self { Self.timed(.lateCreate, milliseconds) }
    /// The call waits before anything is done.
    static func delay(milliseconds: Int) -> Self { Self.timed(.delay, milliseconds) }
    /// Lists do not show the new credential yet.
    static func listLag(milliseconds: Int) -> Self { Self.timed(.listLag, milliseconds) }

    /// Nothing is done, and the answer is `status`. `connection`: only creates on that connection.
    static func refusal(
        of operation: Operation = .create, with status: Int, times: Int = 1, connection: String? = nil
    ) -> Self {
        var fault = Self(.status)
        fault.operation = operation
        fault.status = status
        fault.times = times
        fault.connection_id = connection
        return fault
    }

    private static func timed(_ kind: Kind, _ milliseconds: Int) -> Self {
        var fault = Self(kind)
        fault.milliseconds = milliseconds
        return fault
    }
}
