// SPDX-License-Identifier: Apache-2.0
// The tenant and the users of tests that need some and do not care which.

package import Model

/// `acme`. Its connection at the provider is `1`, and its tag is `acme` (`Ledger.tenant`, `Ledger.tag`).
package let testTenant: TenantID = {
    do { return try TenantID("acme") } catch { preconditionFailure("\(error)") }
}()

/// `user-1`, the first of the users that `Ledger.users` inserts.
package let testUser: UserID = {
    do { return try UserID("user-1") } catch { preconditionFailure("\(error)") }
}()

/// `user-1` of `acme`.
package let testUserKey = UserKey(tenant: testTenant, user: testUser)
