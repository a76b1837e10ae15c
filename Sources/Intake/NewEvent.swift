// SPDX-License-Identifier: Apache-2.0
// One proven, readable event on its way into the ledger.

import Foundation
import Model

struct NewEvent: Sendable {
    let id: EventID
    let source: SourceID
    let deliveryID: String
    let receivedAt: Date
    /// Whose ledger an ignored event goes to: the source's tenant, or '-' for a source of several.
    let owner: String
    /// Nil when the event asks nothing of us.
    var signUp: SignUp?

    var tenant: String { self.signUp?.user.tenant.rawValue ?? self.owner }
}
