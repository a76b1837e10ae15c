// SPDX-License-Identifier: Apache-2.0
// Every route: operation, method, path, and who may call it. Nothing else opens a path.

import HTTPTypes
import Model

/// The one source of the router (`Router.add`), of the comparison with docs/openapi.yaml, and of the isolation test.
package enum RouteTable {
    package static let all: [Route] = Self.service + Self.doors + Self.users + Self.work + Self.setUp

    private static let service: [Route] = [
        Route(.serviceShow, .get, "/", .anyone),
        Route(.contractShow, .get, "/openapi.json", .anyone),
        Route(.problemsShow, .get, "/problems/{code}", .anyone),
        Route(.healthLive, .get, "/healthz", .anyone),
        Route(.healthReady, .get, "/readyz", .anyone),
    ]

    private static let doors: [Route] = [
        Route(.hooksReceive, .post, "/v1/hooks/{hook}", .sender),
        Route(.hooksHandshake, .get, "/v1/hooks/{hook}", .sender),
        Route(.hooksPreflight, .options, "/v1/hooks/{hook}", .sender),
        Route(.loginTokensCreate, .post, "/v1/login-tokens", .key(.loginTokensCreate)),
    ]

    private static let users: [Route] = [
        Route(.tenantsList, .get, "/v1/tenants", .key(.usersRead), parameters: ["limit", "after"]),
        Route(
            .usersList, .get, "/v1/tenants/{tenant}/users", .tenant(.usersRead),
            parameters: UserQuery.filters + ["order", "limit", "after"]),
        Route(
            .usersCount, .get, "/v1/tenants/{tenant}/user-count", .tenant(.usersRead), parameters: UserQuery.filters),
        Route(.usersShow, .get, "/v1/tenants/{tenant}/users/{user}", .tenant(.usersRead)),
        Route(.usersWhy, .get, "/v1/tenants/{tenant}/users/{user}/why", .tenant(.usersRead)),
        Route(
            .usersTimeline, .get, "/v1/tenants/{tenant}/users/{user}/timeline", .tenant(.usersRead),
            parameters: ["limit", "after"]),
        Route(.usersProof, .get, "/v1/tenants/{tenant}/users/{user}/proof", .tenant(.usersRead)),
        Route(.usersVerify, .post, "/v1/tenants/{tenant}/users/{user}/verify", .tenant(.usersRead)),
        Route(.find, .get, "/v1/tenants/{tenant}/find", .tenant(.usersRead), parameters: ["q"]),
    ]

    private static let work: [Route] = [
        Route(
            .eventsList, .get, "/v1/tenants/{tenant}/events", .tenant(.eventsRead),
            parameters: EventQuery.filters + ["limit", "after"]),
        Route(.eventsShow, .get, "/v1/tenants/{tenant}/events/{event}", .tenant(.eventsRead)),
        Route(.refusalsList, .get, "/v1/tenants/{tenant}/refusals", .tenant(.eventsRead), parameters: ["source"]),
        Route(
            .jobsList, .get, "/v1/tenants/{tenant}/jobs", .tenant(.jobsRead), parameters: ["state", "limit", "after"]),
        Route(.failuresList, .get, "/v1/tenants/{tenant}/failures", .tenant(.usersRead)),
        Route(.stream, .get, "/v1/tenants/{tenant}/stream", .tenant(.usersRead)),
        Route(.summaryShow, .get, "/v1/tenants/{tenant}/summary", .tenant(.usersRead), parameters: ["hours"]),
        Route(.tagsList, .get, "/v1/tenants/{tenant}/tags", .tenant(.usersRead), parameters: ["limit", "after"]),
        Route(
            .findingsList, .get, "/v1/tenants/{tenant}/findings", .tenant(.usersRead), parameters: ["limit", "after"]),
    ]

    private static let setUp: [Route] = [
        Route(.tenantsShow, .get, "/v1/tenants/{tenant}", .tenant(.usersRead)),
        Route(
            .sourcesList, .get, "/v1/tenants/{tenant}/sources", .tenant(.sourcesRead), parameters: ["limit", "after"]),
        Route(.sourcesAll, .get, "/v1/sources", .key(.sourcesRead), parameters: ["limit", "after"]),
        Route(.keysList, .get, "/v1/tenants/{tenant}/keys", .tenant(.keysRead), parameters: ["limit", "after"]),
        Route(.keysAll, .get, "/v1/keys", .key(.keysRead), parameters: ["limit", "after"]),
        Route(.limitsList, .get, "/v1/limits", .operators(.jobsRead)),
    ]
}
