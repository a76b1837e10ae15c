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

    var key: UserKey? {
        guard let tenant = TenantID(rawValue: Deployment.tenants[self.tenant]), let user = UserID(rawValue: self.user)
        else { return nil }
        return UserKey(tenant: tenant, user: user)
    }
}
