// SPDX-License-Identifier: Apache-2.0
// Keeps what was proven and could not be used, sealed, until an operator or the sender settles it.

import Crypto
import Foundation
import Logging
import Model
import Postgres
import Queue
import Synchronization
import Vault

/// Writes one request after the other, on a connection of its own. A sender hears that its event is kept only after the
/// commit.
final class Quarantine: Sendable {
    typealias Completion = @Sendable (Result<[Receipt.Item], IntakeError>) -> Void

    private struct Waiting: Sendable {
        let request: QuarantinedRequest
        let completion: Completion
    }

    private struct Line: Sendable {
        var waiting: [Waiting] = []
        var bytes = 0
        var isClosed = false
    }

    /// Requests that wait at most, those of one source, and the bytes of all their bodies.
    private static let maximumWaiting = 256
    private static let maximumOfSource = 64
    private static let maximumBytes = 16 << 20

    private let pool: PostgresPool
    private let vault: Vault
    private let logger: Logger
    private let room: QuarantineRoom
    private let line = Mutex(Line())
    private let arrived = Wakeup()

    init(pool: PostgresPool, vault: Vault, logger: Logger) {
        self.pool = pool
        self.vault = vault
        self.logger = logger
        self.room = QuarantineRoom(pool: pool, logger: logger)
    }

    /// Calls `completion` once: with an item for each note, in their order, after the commit; or with why it was not
    /// kept, perhaps before this returns.
    func keep(_ request: QuarantinedRequest, completion: @escaping Completion) {
        let refusal: IntakeError? = self.line.withLock { line in
            guard !line.isClosed else { return .unavailable }
            let ofSource = line.waiting.count { $0.request.source.id == request.source.id }
            guard line.waiting.count < Self.maximumWaiting, ofSource < Self.maximumOfSource,
                line.bytes < Self.maximumBytes
            else { return .busy(retryAfter: 1) }
            line.waiting.append(Waiting(request: request, completion: completion))
            line.bytes += request.request.body.count
            return nil
        }
        if let refusal { return completion(.failure(refusal)) }
        self.arrived.signal()
    }

    /// Writes what comes.
    ///
    /// Cancelled here: what is under way is committed, and what still waits is refused, so that its sender comes again.
    func run() async {
        while !Task.isCancelled {
            guard let next = self.next() else {
                await self.arrived.wait()
                continue
            }
            next.completion(await self.result(of: next.request))
        }
        let refused = self.line.withLock { line in
            line.isClosed = true
            defer { line.waiting = [] }
            return line.waiting
        }
        for waiting in refused { waiting.completion(.failure(.unavailable)) }
    }

    private func next() -> Waiting? {
        self.line.withLock { line in
            guard !line.waiting.isEmpty else { return nil }
            let next = line.waiting.removeFirst()
            line.bytes -= next.request.request.body.count
            return next
        }
    }

    private func result(of request: QuarantinedRequest) async -> Result<[Receipt.Item], IntakeError> {
        do {
            return .success(try await self.storeWithinRoom(request))
        } catch {
            self.logger.error("an event could not be put in quarantine", metadata: ["error": "\(error)"])
            return .failure(.unavailable)
        }
    }

    /// Stores the first notes, as many as the source has room for. The others are ignored: no row and no body.
    private func storeWithinRoom(_ request: QuarantinedRequest) async throws -> [Receipt.Item] {
        let room = try await self.room.left(of: request.source.id)
        let beyond = request.notes.dropFirst(room).map { Receipt.Item(eventID: $0.event, status: .ignored) }
        guard room > 0 else { return beyond }
        let kept = try await self.store(
            QuarantinedRequest(
                source: request.source, request: request.request, secret: request.secret,
                notes: Array(request.notes.prefix(room))))
        self.room.take(kept.count { $0.status == .quarantined }, of: request.source.id)
        return kept + beyond
    }

    /// Shielded from cancellation once it is sealed, because it belongs to the writer and not to its shutdown.
    private func store(_ request: QuarantinedRequest) async throws -> [Receipt.Item] {
        let body = request.request.body
        let statement = QuarantineStatement.keep(
            request, picks: QuarantinePicks.texts(of: request), hash: Array(SHA256.hash(data: body)),
            sealed: try await self.sealedBody(of: request))
        let rows = try await self.pool.withConnection { try await $0.query(statement, shielded: true) }
        var items: [EventID: Receipt.Item] = [:]
        for row in rows {
            var columns = row.columns
            let id: EventID = try columns.next()
            let known: EventID = try columns.next()
            items[id] = Receipt.Item(eventID: known, status: try columns.next() ? .quarantined : .duplicate)
        }
        return request.notes.map { items[$0.event] ?? Receipt.Item(eventID: $0.event, status: .quarantined) }
    }

    /// Returns what may be kept of the body, sealed for the row of the request's first note. Nil: nothing may, or the
    /// body is no text and so no event.
    private func sealedBody(of request: QuarantinedRequest) async throws -> [UInt8]? {
        guard let kept = request.source.mapping.keeping.kept(of: request.request.body),
            let text = String(validating: kept, as: UTF8.self)
        else { return nil }
        let place = SealedBinding(
            tenant: request.source.scope, table: "quarantine", column: "sealed",
            row: request.notes[0].event.rawValue.lowercase, user: request.source.id.rawValue.lowercase, generation: 0)
        return try await self.vault.seal(Secret(text), place)
    }
}
