// SPDX-License-Identifier: Apache-2.0
// What a list says so that its own index serves it, and no statement of a sign-up.

import Postgres

/// Conditions that hold for every row, and that stand in the index too (`0019_queries.sql`).
///
/// A plan that is made while a table is empty takes any index that begins with the tenant: all cost nothing then. It
/// would walk the tenant's rows when the table has grown. A partial index is left out where its condition is not said.
enum ListIndex {
    /// users_received
    static let usersReceived: SQL = "received_at > '-infinity'"
    /// credentials_username
    static let usernames: SQL = "username_index > ''"
    /// events_user
    static let eventsOfUser: SQL = "events.user_id > ''"
    /// events_tenant
    static let eventsOfTenant: SQL = "events.tenant_id <> '-'"
}
