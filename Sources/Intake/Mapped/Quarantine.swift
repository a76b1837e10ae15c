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

    /// How often a body is put beside rows that others are settling just then.
    private static let triesForBody = 8

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

    /// Returns whether the source has room, as far as is known without the database.
    func hasRoom(_ source: SourceID) -> Bool {
        if self.room.hasRoom(source) { return true }
        if self.room.isDue { self.arrived.signal() }
        return false
    }

    /// Writes what comes.
    ///
    /// Cancelled here: what is under way is committed, and what still waits is refused, so that its sender comes again.
    func run() async {
        while !Task.isCancelled {
            if self.room.isDue { await self.room.countDue() }
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

    /// Stores the first notes, as many as the source has room for. The others are ignored: no row and no body. An event
    /// that the ledger has already gets its note in any case.
    private func storeWithinRoom(_ request: QuarantinedRequest) async throws -> [Receipt.Item] {
        var room = try await self.room.left(of: request.source.id, named: request.source.slug)
        let notes = request.notes.filter { note in
            room -= 1
            return note.isStored || room >= 0
        }
        var items: [EventID: Receipt.Item] = [:]
        if !notes.isEmpty {
            let kept = try await self.store(
                QuarantinedRequest(
                    source: request.source, request: request.request, secret: request.secret, notes: notes))
            self.room.take(kept.count { $0.status == .quarantined }, of: request.source.id)
            for (note, item) in zip(notes, kept) { items[note.event] = item }
        }
        return request.notes.map { items[$0.event] ?? Receipt.Item(eventID: $0.event, status: .ignored) }
    }

    /// Shielded from cancellation, because it belongs to the writer and not to its shutdown. Where the body cannot be
    /// put beside the rows any more, this throws. The sender comes again, and the body with it.
    private func store(_ request: QuarantinedRequest) async throws -> [Receipt.Item] {
        let hash = Array(SHA256.hash(data: request.request.body))
        let written = QuarantineRows(
            source: request.source.id, scope: request.source.scope, version: request.source.version,
            receivedAt: request.request.receivedAt, secret: request.secret, size: Int32(request.request.body.count),
            hash: hash, notes: request.notes, picks: QuarantinePicks.texts(of: request))
        let isLocking = request.notes.contains(where: \.isStored)
        let statements = (isLocking ? [QuarantineStatement.lock(written)] : []) + [QuarantineStatement.keep(written)]
        let answers = try await self.pool.withConnection { connection in
            try await HiddenIDs.replace(written.moves, isInTransaction: false, on: connection)
            return try await connection.pipeline([statements], shielded: true)[0]
        }
        // The first to fail has the reason; the others were not run.
        let rows = try answers.flatMap { try $0.get() }
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

    /// Puts the body on a row of these events, unless one of its request has it. The rows are known only after the
    /// insert, and the body is sealed for the first one. A row that is settled meanwhile does not take it, and then
    /// another one may need it.
    private func keepBody(of request: QuarantinedRequest, _ hash: [UInt8], in events: [EventID]) async throws {
        guard let kept = KeptRequest(request.request, of: request.source) else { return }
        for _ in 0..<Self.triesForBody {
            var isKept = true
            for row in try await self.pool.query(QuarantineStatement.bodies(of: events, hash: hash)) {
                var columns = row.columns
                let body: EventID = try columns.next()
                let sealed = try await kept.sealed(
                    by: self.vault, for: body, of: request.source.id, request.source.scope)
                let holders = try await self.pool.withConnection {
                    try await $0.query(QuarantineStatement.keepBody(sealed, of: body), shielded: true)
                }
                if holders.isEmpty { isKept = false }
            }
            if isKept { return }
        }
        throw IntakeError.unavailable
    }
}
