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

    private let pool: PostgresPool
    private let vault: Vault
    private let logger: Logger
    private let room: QuarantineRoom
    private let line = Mutex(QuarantineLine())
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
        let refusal = self.line.withLock { $0.add(.init(request: request, completion: completion)) }
        if let refusal { return completion(.failure(refusal)) }
        self.arrived.signal()
    }

    /// Writes what comes.
    ///
    /// Cancelled here: what is under way is committed, and what still waits is refused, so that its sender comes again.
    func run() async {
        while !Task.isCancelled {
            guard let next = self.line.withLock({ $0.next() }) else {
                await self.arrived.wait()
                continue
            }
            next.completion(await self.result(of: next.request))
        }
        let refused = self.line.withLock { $0.close() }
        for waiting in refused { waiting.completion(.failure(.unavailable)) }
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
        let room = try await self.room.left(of: request.source)
        let beyond = request.notes.dropFirst(room).map { Receipt.Item(eventID: $0.event, status: .ignored) }
        guard room > 0 else { return beyond }
        let kept = try await self.store(
            QuarantinedRequest(
                source: request.source, request: request.request, secret: request.secret,
                notes: Array(request.notes.prefix(room))))
        self.room.take(kept.count { $0.status == .quarantined }, of: request.source.id)
        return kept + beyond
    }

    /// Shielded from cancellation, because it belongs to the writer and not to its shutdown. Where the body cannot be
    /// put beside the rows any more, this throws. The sender comes again, and the body with it.
    private func store(_ request: QuarantinedRequest) async throws -> [Receipt.Item] {
        let hash = Array(SHA256.hash(data: request.request.body))
        let statement = QuarantineStatement.keep(request, picks: QuarantinePicks.texts(of: request), hash: hash)
        let rows = try await self.pool.withConnection { try await $0.query(statement, shielded: true) }
        var items: [EventID: Receipt.Item] = [:]
        for row in rows {
            var columns = row.columns
            let id: EventID = try columns.next()
            let known: EventID = try columns.next()
            items[id] = Receipt.Item(eventID: known, status: try columns.next() ? .quarantined : .duplicate)
        }
        try await self.keepBody(of: request, hash, in: items.values.map(\.eventID))
        // A note without a row is not kept, and its sender must not hear that it is.
        return try request.notes.map { note in
            guard let item = items[note.event] else { throw IntakeError.unavailable }
            return item
        }
    }

    /// Puts the body on the first row of these events, unless one of them has it. The rows are known only after the
    /// insert, and the body is sealed for its row.
    private func keepBody(of request: QuarantinedRequest, _ hash: [UInt8], in events: [EventID]) async throws {
        guard let text = Self.keptText(of: request) else { return }
        var first: EventID?
        for row in try await self.pool.query(QuarantineStatement.bodies(of: events, hash: hash)) {
            var columns = row.columns
            let event: EventID = try columns.next()
            if try columns.next(Bool.self) { return }
            first = first ?? event
        }
        guard let event = first else { return }
        let place = SealedBinding(
            tenant: request.source.scope, table: "quarantine", column: "sealed", row: event.rawValue.lowercase,
            user: request.source.id.rawValue.lowercase, generation: 0)
        let statement = QuarantineStatement.keepBody(try await self.vault.seal(Secret(text), place), at: event)
        _ = try await self.pool.withConnection { try await $0.query(statement, shielded: true) }
    }

    /// Returns what may be kept of the body. Nil: nothing may, or the body is no text and so no event.
    private static func keptText(of request: QuarantinedRequest) -> String? {
        request.source.mapping.keeping.kept(of: request.request.body).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
