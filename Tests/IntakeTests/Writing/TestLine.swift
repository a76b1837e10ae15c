// SPDX-License-Identifier: Apache-2.0
// A waiting line with ids for deliveries and names for users, for the tests of its rules.

import Foundation
import Model

@testable import Intake

final class TestLine {
    static let app = SourceID(rawValue: UUID())
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private var line: WaitingLine
    /// By event id.
    private var tags: [EventID: Int] = [:]

    init(batch: Int = 100, waiting: Int = 100, ofSource: Int = 100, ofTenant: Int = 100, alike: Int = 100) {
        self.line = WaitingLine(
            limits: WaitingLine.Limits(
                batch: batch, waiting: waiting, waitingOfSource: ofSource, waitingOfTenant: ofTenant,
                waitingAlike: alike))
    }

    /// Adds a delivery with one event for each user. Returns whether it was taken.
    @discardableResult
    func add(
        _ id: String, _ users: [String], tenant: String = "acme", from source: SourceID = TestLine.app, tag: Int = 0
    ) throws -> Bool { try self.refusal(of: id, users, tenant: tenant, from: source, tag: tag) == nil }

    /// Adds a delivery. Returns why it was refused; nil when it was taken.
    func refusal(
        of id: String, _ users: [String], tenant: String = "acme", from source: SourceID = TestLine.app, tag: Int = 0
    ) throws -> IntakeError? {
        let changes = try users.map { user in
            let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
            return UserChange(user: key, wanted: .live, occurredAt: nil)
        }
        guard let delivery = NewDelivery(id, of: source, asking: changes, receivedAt: Self.now) else {
            throw InvalidValue("users", "must not be empty")
        }
        self.tags[delivery.events[0].id] = tag
        return self.line.add(delivery) { _ in }
    }

    func takeIDs() -> [String] { self.line.takeBatch().map(\.delivery.id) }

    func takeTags() -> [Int] { self.line.takeBatch().compactMap { self.tags[$0.delivery.events[0].id] } }

    func closeIDs() -> [String] { self.line.close().map(\.delivery.id) }
}
