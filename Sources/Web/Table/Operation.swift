// SPDX-License-Identifier: Apache-2.0
// What the API can do, each operation by the name that it has in docs/openapi.yaml.

/// One operation. Its raw value is the `operationId` of the contract.
package enum Operation: String, CaseIterable, Sendable {
    // The service itself
    case serviceShow = "service.show"
    case contractShow = "contract.show"
    case problemsShow = "problems.show"
    case healthLive = "health.live"
    case healthReady = "health.ready"

    // Webhooks
    case hooksReceive = "hooks.receive"
    case hooksHandshake = "hooks.handshake"
    case hooksPreflight = "hooks.preflight"

    // Login tokens
    case loginTokensCreate = "loginTokens.create"

    // Users
    case tenantsList = "tenants.list"
    case usersList = "users.list"
    case usersCount = "users.count"
    case usersShow = "users.show"
    case usersWhy = "users.why"
    case usersTimeline = "users.timeline"
    case usersProof = "users.proof"
    case usersVerify = "users.verify"
    case find = "find"

    // Events and what became of them
    case eventsList = "events.list"
    case eventsShow = "events.show"
    case refusalsList = "refusals.list"
    case jobsList = "jobs.list"
    case failuresList = "failures.list"
    case stream = "stream"

    // The tenant as a whole
    case summaryShow = "summary.show"
    case tagsList = "tags.list"
    case findingsList = "findings.list"

    // How the installation is set up
    case tenantsShow = "tenants.show"
    case sourcesList = "sources.list"
    case sourcesAll = "sources.all"
    case keysList = "keys.list"
    case keysAll = "keys.all"
    case limitsList = "limits.list"
}
