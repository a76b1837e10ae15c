// SPDX-License-Identifier: Apache-2.0
// The simulated account: what each call does to it, and the response it gives, without any HTTP.

import Foundation
import Synchronization

/// State and rules of the account. One lock guards store, journal, faults and clock together, so that a response says
/// what was written.
final class Account: Sendable {
    struct State {
        var store = CredentialStore()
        var journal: Journal?
        var faults = Faults()
        var limit: CallLimit?
        var clockOffset: TimeInterval = 0
        /// Creates that got their response and have not landed.
        var late = 0
        var requests: [Fault.Operation: Int] = [:]
        var traffic = Traffic()
    }

    let state = Mutex(State())
    private let configuration: TelnyxSimulator.Configuration
    private let signer = LoginTokenSigner()

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

    /// A credential connection, as far as a caller can ask whether there is one.
    func connection(_ id: String) -> SimulatedResponse {
        guard self.knows(id) else { return .notFound }
        return SimulatedResponse(
            status: 200, body: #"{"data":{"id":"\#(id)","record_type":"credential_connection","active":true}}"#)
    }

    /// An id is digits, so it needs no escape in JSON.
    private func knows(_ connection: String) -> Bool {
        !connection.isEmpty && connection.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && self.configuration.knownConnections?.contains(connection) ?? true
    }

    func create(_ fields: CredentialFields, lag: Int? = nil) -> SimulatedResponse {
        guard let connection = fields.connection_id, !connection.isEmpty else {
            return .error(422, "10004", "Missing required parameter", "The connection_id parameter is required.")
        }
        guard self.knows(connection) else {
            return .unknownConnection
        }
        return self.state.withLock { state in
            let now = Self.now(state)
            if let tag = fields.tag, state.store.count(inTag: tag) >= self.configuration.tagCapacity {
                return .error(422, "10027", "Tag limit reached", "A tag can hold at maximum 1000 credentials.")
            }
            let expiry = fields.expires_at.flatMap(VendorDate.read) ?? now.addingTimeInterval(22 * 365 * 86_400)
            let credential = SimulatedCredential(
                id: UUID().uuidString.lowercased(), connectionID: connection, name: fields.name ?? "\(now)",
                tag: fields.tag, sipUsername: "gencred\(RandomText.letters(42))", sipPassword: RandomText.hex(16),
                createdAt: now, updatedAt: now, expiresAt: expiry,
                listedFrom: lag.map { now.addingTimeInterval(Double($0) / 1000) })
            return Self.commit(.put(credential, isNew: true), &state)
                ?? SimulatedResponse(status: 201, body: "{\"data\":\(credential.json(now: now))}")
        }
    }

    /// Makes the credential after `wait`, whatever the response was.
    func createLate(_ fields: CredentialFields, lag: Int?, after wait: Duration) {
        self.state.withLock { $0.late += 1 }
        // Unstructured, because that is the fault: the create outlives its request.
        Task {
            try? await Task.sleep(for: wait)
            _ = self.create(fields, lag: lag)
            self.state.withLock { $0.late -= 1 }
        }
    }

    func list(_ filter: ListFilter, page: Int, size: Int) -> SimulatedResponse {
        self.state.withLock { state in
            let now = Self.now(state)
            state.traffic.lists[ListKind(filter, size: size), default: 0] += 1
            // A page number may be too large to multiply.
            let (first, isTooLarge) = (page - 1).multipliedReportingOverflow(by: size)
            let part = state.store.page(filter, from: isTooLarge ? .max : first, size: size, now: now)
            let shown = part.shown.map { $0.json(now: now) }.joined(separator: ",")
            let pages = max(1, (part.total + size - 1) / size)
            return SimulatedResponse(
                status: 200,
                body: """
                    {"data":[\(shown)],"meta":{"page_number":\(page),"page_size":\(size),"total_pages":\(pages),\
                    "total_results":\(part.total)}}
                    """)
        }
    }

    func retrieve(_ id: String) -> SimulatedResponse {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            return SimulatedResponse(status: 200, body: "{\"data\":\(credential.json(now: Self.now(state)))}")
        }
    }

    func update(_ id: String, _ fields: CredentialFields) -> SimulatedResponse {
        self.state.withLock { state in
            guard var credential = state.store.byID[id] else { return .notFound }
            let now = Self.now(state)
            guard !credential.isExpired(now) else {
                return SimulatedResponse(
                    status: 422, body: "{\"errors\":{\"status\":\"can't update credentials in expired status\"}}")
            }
            credential.connectionID = fields.connection_id ?? credential.connectionID
            credential.name = fields.name ?? credential.name
            credential.tag = fields.tag ?? credential.tag
            if let text = fields.expires_at {
                guard let date = VendorDate.read(text) else {
                    return .error(422, "10015", "Bad Request", "expires_at is not a date.")
                }
                credential.expiresAt = date
            }
            credential.updatedAt = now
            return Self.commit(.put(credential, isNew: false), &state)
                ?? SimulatedResponse(status: 200, body: "{\"data\":\(credential.json(now: now))}")
        }
    }

    func delete(_ id: String) -> SimulatedResponse {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            return Self.commit(.deleted(id), &state)
                ?? SimulatedResponse(status: 200, body: "{\"data\":\(credential.json(now: Self.now(state)))}")
        }
    }

    func token(_ id: String) -> SimulatedResponse {
        self.state.withLock { state in
            guard let credential = state.store.byID[id] else { return .notFound }
            let now = Self.now(state)
            guard !credential.isExpired(now) else {
                return .error(422, "55001", "Credential expired", "Credential expired, can not create token.")
            }
            let expiry = min(now.addingTimeInterval(self.configuration.tokenLifetime), credential.expiresAt)
            return SimulatedResponse(
                status: 201, body: self.signer.token(now: now, expiry: expiry), contentType: "text/plain")
        }
    }

    // MARK: Inside the lock

    static func now(_ state: borrowing State) -> Date { Date().addingTimeInterval(state.clockOffset) }

    /// Writes the entry, then applies it. Returns nil, or a 500 when the entry cannot be written.
    private static func commit(_ entry: JournalEntry, _ state: inout State) -> SimulatedResponse? {
        do {
            try state.journal?.append(entry)
        } catch {
            return .error(500, "10007", "Unexpected error", "The state file cannot be written.")
        }
        state.store.apply(entry)
        return nil
    }
}
