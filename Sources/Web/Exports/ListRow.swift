// SPDX-License-Identifier: Apache-2.0
// The rows of lists that are exported, with the columns that they have as CSV.

import Directory

/// What one row of a list shows. Every member of its JSON is a column.
protocol ListRow: Encodable, Sendable {
    /// The names of its members, the one first that a reader looks for first.
    static var columns: [String] { get }
}

extension TenantEntry: ListRow {
    static let columns = ["tenant", "status", "connection_id", "created_at", "credential_life_days"]
}

extension ToldEvent: ListRow {
    static let columns = [
        "event_id", "received_at", "occurred_at", "source", "user_id", "wanted", "outcome", "detail", "reason",
        "pointer", "delivery_id", "item",
    ]
}

extension WaitingJob: ListRow {
    static let columns = [
        "user_id", "state", "why", "generation", "attempts", "in_doubt", "enqueued_at", "run_at", "lease_until",
        "job_id",
    ]
}

extension TagEntry: ListRow {
    static let columns = [
        "tag", "shard", "held", "room", "open", "listed_at", "next_visit_at", "others", "failures", "would_change",
    ]
}

extension FindingEntry: ListRow {
    static let columns = ["at", "kind", "user_id", "generation", "credential_id", "tag"]
}

extension TimelineEntry: ListRow {
    static let columns = [
        "at", "kind", "generation", "call_ms", "waited_ms", "http_status", "provider_request_id", "code", "event_id",
        "delivery_id", "source", "credential_id", "actor", "request_id", "from", "to", "epoch", "worker",
    ]
}

extension SourceAnswer: ListRow {
    static let columns = [
        "source", "id", "tenant", "tenants", "by_table", "keeps_names", "preset", "status", "config_version",
        "hook_id", "url", "secrets", "lacks_senders_secret", "created_at", "stopped_at",
    ]
}

extension KeyAnswer: ListRow {
    static let columns = ["key_id", "tenant", "scopes", "created_at", "expires_at", "revoked_at"]
}
