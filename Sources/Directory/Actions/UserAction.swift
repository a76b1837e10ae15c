// SPDX-License-Identifier: Apache-2.0
// What an operator may do to a user, and the row that says it was done.

import Foundation
import Model
import Postgres

/// An action, as the ledger names it.
enum UserAction: String {
    case revoke, reopen, rotate, retry
}

/// One action on one user: it stands in the user's timeline, and is found by the id of its request.
struct ActionRecord {
    /// The cause of what is wanted from then on.
    let id: UUID
    let action: UserAction
    let request: String

    /// Writes the row, of this moment. The user's row is locked, and has the generation that it keeps.
    func write(_ user: UserKey) -> SQL {
        """
        insert into dialtone.actions (action_id, generation, action, request_id, tenant_id, user_id)
        select \(self.id), generation, \(self.action.rawValue), \(self.request), tenant_id, user_id
        from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user)
        """
    }
}
