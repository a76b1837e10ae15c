// SPDX-License-Identifier: Apache-2.0
// A condition that several statements share: the credential is not deleted.

import Postgres

enum OpenCredential {
    /// True for a row of `dialtone.credentials` that is active or closing. Not for the nullable side of a join.
    ///
    /// `status <> 'deleted'` is also the predicate of the partial index credentials_tag. While the table is nearly
    /// empty, the planner would rather walk that index than enter the primary key. It does not recognise this form.
    static let condition: SQL = "(credentials.status = 'deleted') is not true"
}
