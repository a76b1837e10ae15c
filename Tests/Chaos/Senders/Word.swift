// SPDX-License-Identifier: Apache-2.0
// One thing that a sender says of a user, and must be believed to have said.

import Foundation
import Model

struct Word: Sendable {
    /// The place of its tenant in `Deployment.tenants`.
    var tenant: Int
    var user: String
    var wanted: Wanted
    var occurredAt: Date
    var delivery: String
    /// All users of the delivery, in its order. This one is among them.
    var group: [String]
    /// Whether the sender tells the time. Without it, what comes last counts, so such a user is spoken of once only.
    var hasTime = true

    /// The payload of `POST /v1/hooks/…`: one user as an object, several as a list.
    var body: [UInt8] {
        let tenant = Deployment.tenants[self.tenant]
        let users = self.group.map { "{\"user_id\":\"\($0)\",\"tenant_id\":\"\(tenant)\"}" }
        let data = users.count == 1 ? users[0] : "[\(users.joined(separator: ","))]"
        let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(self.occurredAt)
        let timestamp = self.hasTime ? ",\"timestamp\":\"\(time)\"" : ""
        let type = self.wanted == .live ? "user.created" : "user.deleted"
        return Array("{\"type\":\"\(type)\"\(timestamp),\"data\":\(data)}".utf8)
    }

    var key: UserKey? {
        guard let tenant = TenantID(rawValue: Deployment.tenants[self.tenant]), let user = UserID(rawValue: self.user)
        else { return nil }
        return UserKey(tenant: tenant, user: user)
    }
}
