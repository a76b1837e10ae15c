// SPDX-License-Identifier: Apache-2.0
// The simulated account: what each call does to it, and what it answers, without any HTTP.

import Crypto
import Foundation
import Synchronization

/// What a call answers.
struct SimulatedAnswer: Sendable {
    var status: Int
    var body: String
    var contentType = "application/json"
    var headers: [(String, String)] = []

    /// `{"errors":[…]}`, the usual form.
    static func error(_ status: Int, _ code: String, _ title: String, _ detail: String) -> Self {
        Self(
            status: status,
            body: """
                {"errors":[{"code":"\(code)","title":\(JSONText.quoted(title)),"detail":\(JSONText.quoted(detail)),\
                "meta":{"url":"https://developers.telnyx.com/docs/overview/errors/\(code)"}}]}
                """)
    }

    static let notFound = Self.error(
        404, "10005", "Resource not found", "The requested resource or URL could not be found.")
}

/// The body of a create or an update.
struct CredentialFields: Decodable, Sendable {
    var connection_id: String?
    var name: String?
    var tag: String?
    var expires_at: String?
}

/// What a checker may count.
struct AccountCounts: Sendable {
    var names: [String: NameCount]
    var live: Int
    /// Creates that have not landed yet, and credentials that lists do not show yet.
    var unsettled: Int
    /// Since the start, whatever was answered.
    var requests: [Fault.Operation: Int]
}

/// State and rules of the account. The lock guards store, journal, faults and clock together, so that what is answered
/// is what is written.
final class Account: Sendable {
    private struct State {
        var store = CredentialStore()
        var journal: Journal?
        var faults = Faults()
        var clockOffset: TimeInterval = 0
        var serial = 0
        /// Creates that were answered and have not landed.
        var late = 0
        var requests: [Fault.Operation: Int] = [:]
    }

    private let state = Mutex(State())
    private let configuration: TelnyxSimulator.Configuration
    private let signingKey = SymmetricKey(size: .bits256)

    init(configuration: TelnyxSimulator.Configuration) throws {
        self.configuration = configuration
        guard let path = configuration.stateFile else { return }
        try self.state.withLock { state in
            var store = CredentialStore()
            state.journal = try Journal(path: path) { store.apply($0) }
            state.store = store
        }
    }

    // MARK: Calls

    func create(_ fields: CredentialFields, lag: Int? = nil) -> SimulatedAnswer {
        guard let connection = fields.connection_id, !connection.isEmpty else {
            return .error(422, "10004", "Missing required parameter", "The connection_id parameter is required.")
        }
        guard connection.allSatisfy(\.isNumber), self.configuration.knownConnections?.contains(connection) ?? true
        else {
            return .error(422, "10013", "Missing association", "There is no connection with that connection_id.")
        }
        return self.state.withLock { state in
            let now = Self.now(state)
            if let tag = fields.tag, state.store.count(inTag: tag) >= self.configuration.tagCapacity {
                return .error(422, "10027", "Tag limit reached", "A tag can hold at maximum 1000 credentials.")
            }
            let expiry = fields.expires_at.flatMap(Self.date) ?? now.addingTimeInterval(22 * 365 * 86_400)
            let credential = SimulatedCredential(
                id: UUID().uuidString.lowercased(), connectionID: connection, name: fields.name ?? "\(now)",
                tag: fields.tag,
                sipUsername: "gencred\(Self.random(42))", sipPassword: Self.hex(16), createdAt: now, updatedAt: now,
                expiresAt: expiry, listedFrom: lag.map { now.addingTimeInterval(Double($0) / 1000) })
            return Self.commit(.put(credential, isNew: true), &state)
                ?? SimulatedAnswer(status: 201, body: "{\"data\":\(credential.json(now: now))}")
        }
    }

    /// Lands after `wait`, whatever was answered.
    func createLate(_ fields: CredentialFields, lag: Int?, after wait: Duration) {
        self.state.withLock { $0.late += 1 }
        // Unstructured, because that is the fault: the create outlives its request.
        Task {
            try? await Task.sleep(for: wait)
            _ = self.create(fields, lag: lag)
            self.state.withLock { $0.late -= 1 }
        }
    }

    func list(_ filter: ListFilter, page: Int, size: Int) -> SimulatedAnswer {
        self.state.withLock { state in
            let now = Self.now(state)
            let all = state.store.list(filter, now: now)
            // A page number may be too large to multiply.
            let (first, isTooLarge) = (page - 1).multipliedReportingOverflow(by: size)
            let start = isTooLarge ? all.count : min(first, all.count)
            let shown = all[start..<min(start + size, all.count)].map { $0.json(now: now) }.joined(separator: ",")
            let pages = max(1, (all.count + size - 1) / size)
            return SimulatedAnswer(
                status: 200,
                body: """
                    {"data":[\(shown)],"meta":{"page_number":\(page),"page_size":\(size),"total_pages":\(pages),\
                    "total_results":\(all.count)}}
                    """)
        }
    }

    func retrieve(_ id: String) -> SimulatedAnswer {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            return SimulatedAnswer(status: 200, body: "{\"data\":\(credential.json(now: Self.now(state)))}")
        }
    }

    func update(_ id: String, _ fields: CredentialFields) -> SimulatedAnswer {
        self.state.withLock { state in
            guard var credential = state.store.byID[id] else { return .notFound }
            let now = Self.now(state)
            guard !credential.isExpired(now) else {
                return SimulatedAnswer(
                    status: 422, body: "{\"errors\":{\"status\":\"can't update credentials in expired status\"}}")
            }
            credential.connectionID = fields.connection_id ?? credential.connectionID
            credential.name = fields.name ?? credential.name
            credential.tag = fields.tag ?? credential.tag
            if let text = fields.expires_at {
                guard let date = Self.date(text) else {
                    return .error(422, "10015", "Bad Request", "expires_at is not a date.")
                }
                credential.expiresAt = date
            }
            credential.updatedAt = now
            return Self.commit(.put(credential, isNew: false), &state)
                ?? SimulatedAnswer(status: 200, body: "{\"data\":\(credential.json(now: now))}")
        }
    }

    func delete(_ id: String) -> SimulatedAnswer {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            return Self.commit(.deleted(id), &state)
                ?? SimulatedAnswer(status: 200, body: "{\"data\":\(credential.json(now: Self.now(state)))}")
        }
    }

    func token(_ id: String) -> SimulatedAnswer {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            let now = Self.now(state)
            guard !credential.isExpired(now) else {
                return .error(422, "55001", "Credential expired", "Credential expired, can not create token.")
            }
            let expiry = min(now.addingTimeInterval(self.configuration.tokenLifetime), credential.expiresAt)
            return SimulatedAnswer(status: 201, body: self.jwt(now: now, expiry: expiry), contentType: "text/plain")
        }
    }

    /// A JWT of the vendor's shape: HS512 with a key nobody else has.
    private func jwt(now: Date, expiry: Date) -> String {
        let issued = Int(now.timeIntervalSince1970)
        let header = Self.base64url(Data("{\"alg\":\"HS512\",\"typ\":\"JWT\"}".utf8))
        let claims = """
            {"aud":"telnyx_telephony","exp":\(Int(expiry.timeIntervalSince1970)),"iat":\(issued),\
            "iss":"telnyx_telephony","jti":"\(UUID().uuidString.lowercased())","nbf":\(issued - 1),\
            "sub":"\(UUID().uuidString.lowercased())","tel_token":"\(Self.random(32))","typ":"access"}
            """
        let signed = "\(header).\(Self.base64url(Data(claims.utf8)))"
        let code = HMAC<SHA512>.authenticationCode(for: Data(signed.utf8), using: self.signingKey)
        return "\(signed).\(Self.base64url(Data(code)))"
    }

    // MARK: Control

    func fault(for operation: Fault.Operation, name: String?, connection: String?) -> Misfortune {
        self.state.withLock { state in
            state.faults.next(for: operation, name: name, connection: connection) { Double.random(in: 0..<1) }
        }
    }

    func heard(_ operation: Fault.Operation) { self.state.withLock { $0.requests[operation, default: 0] += 1 } }

    var faults: [Fault] {
        get { self.state.withLock { $0.faults.rules } }
        set { self.state.withLock { $0.faults.rules = newValue } }
    }

    func advanceClock(by seconds: TimeInterval) { self.state.withLock { $0.clockOffset += seconds } }

    func counts(name: String?) -> AccountCounts {
        self.state.withLock { state in
            AccountCounts(
                names: name.map { [$0: state.store.counts[$0] ?? NameCount()] } ?? state.store.counts,
                live: state.store.liveCount, unsettled: state.late + state.store.unlisted(Self.now(state)),
                requests: state.requests)
        }
    }

    func all() -> [SimulatedCredential] {
        self.state.withLock { $0.store.list(ListFilter(), now: .distantFuture) }
    }

    // MARK: Inside the lock

    private static func now(_ state: borrowing State) -> Date { Date().addingTimeInterval(state.clockOffset) }

    /// Writes first, then applies; a full disk is the provider's 500.
    private static func commit(_ entry: JournalEntry, _ state: inout State) -> SimulatedAnswer? {
        do {
            try state.journal?.append(entry)
        } catch {
            return .error(500, "10007", "Unexpected error", "The state file cannot be written.")
        }
        state.store.apply(entry)
        return nil
    }

    private static func date(_ text: String) -> Date? {
        var text = text
        if !text.hasSuffix("Z") && !text.contains("+") { text += "Z" }
        return try? Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains(".")).parse(text)
    }

    private static func base64url(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    private static func random(_ count: Int) -> String {
        String((0..<count).map { _ in Self.letters[Int.random(in: 0..<62)] })
    }
    private static func hex(_ bytes: Int) -> String {
        (0..<bytes * 2).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
    }
}
