// SPDX-License-Identifier: Apache-2.0
// The lines that `dialtone source check` prints, and the operator's call behind it.

package import Foundation
import Intake
package import Model

/// One part of a mapping, and what it has picked.
package struct CheckStepLine: Line {
    package var event: Int
    package var part: String
    @OrNull package var place: String?
    package var picked: String

    package static let heading = ["EVENT", "PART", "PLACE", "PICKED"]
    package static let flexible = [3, 2]
    package var cells: [String] { ["\(self.event)", self.part, self.place ?? "", self.picked] }

    init(_ step: TraceStep) {
        self.event = step.event
        self.part = step.part
        self.place = step.place
        self.picked =
            switch step.picked {
            case .value(let value): value
            case .nothing: "(nothing)"
            case .secret: "(secret)"
            case .unusable(let unusable): "(\(unusable.reason.text))"
            }
    }
}

/// One item of a delivery, and what it would do: where the sender is not proven, if it were.
package struct CheckItemLine: Line {
    package var delivery_id: String
    package var outcome: String

    package static let heading = ["DELIVERY", "OUTCOME"]
    package static let flexible = [1]
    package var cells: [String] { [self.delivery_id, self.outcome] }
}

/// A user whose wish the delivery would change.
package struct CheckUserLine: Line {
    package var tenant: String
    package var user_id: String
    /// 'live' or 'gone'.
    package var wanted: String

    package static let heading = ["TENANT", "USER", "WANTED"]
    package var cells: [String] { [self.tenant, self.user_id, self.wanted] }
}

package struct SourceCheckLine: Encodable, Sendable {
    package struct Effect: Encodable, Sendable {
        package var users: [CheckUserLine]
    }

    package var steps: [CheckStepLine]
    /// 'stored', 'quarantined', 'ignored' or 'refused'.
    package var decision: String
    package var effect: Effect
    /// Why the sender is not proven; null: it is.
    @OrNull package var refusal: String?
    /// What may be why; null: nothing is known.
    @OrNull package var warning: String?
    package var items: [CheckItemLine]

    /// Whether the sender is proven, and nothing would wait in quarantine.
    package var isGood: Bool { self.decision != "refused" && self.decision != "quarantined" }
}

extension Administration {
    /// Says what a source would make of a delivery that came at `now`. Nothing is sent or stored.
    package func checkSource(
        _ slug: String, tenant: TenantID?, body: [UInt8], headers: [(name: String, value: String)], now: Date
    ) async throws -> SourceCheckLine {
        let check = try await self.withSources {
            try await $0.check(body, headers: headers, slug: slug, tenant: tenant, now: now)
        }
        let users = check.changes.map {
            CheckUserLine(
                tenant: $0.user.tenant.rawValue, user_id: $0.user.user.rawValue, wanted: $0.wanted.rawValue)
        }
        let condition = check.refusal == nil ? "" : "if it were proven: "
        return SourceCheckLine(
            steps: check.steps.map(CheckStepLine.init), decision: check.decision.rawValue,
            effect: .init(users: users), refusal: check.refusal, warning: check.warning,
            items: check.items.map { CheckItemLine(delivery_id: $0.deliveryID, outcome: condition + $0.text) })
    }
}
