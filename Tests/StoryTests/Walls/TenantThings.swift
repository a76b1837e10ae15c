// SPDX-License-Identifier: Apache-2.0
// Everything that a request can name of one tenant, and the requests that name it.

import Testing
import Web

/// The things of another tenant must look like things of nobody.
struct TenantThings: Sendable {
    var tenant: String
    /// A user who is ready, and has an e-mail address.
    var user: String
    /// A user who has failed.
    var failed: String
    var event: String
    var credential: String
    var username: String
    var delivery: String
    var email: String
    /// A source, by its name.
    var source: String
    var tag: String
    /// The request id of an operator's action.
    var action: String
    /// The id of an API key.
    var key: String
    /// What stands in the tenant's rows and is no id: the provider's words, a reason, a count.
    var words: [String] = []
    /// Where the second page of each list begins, by the operation.
    var cursors: [String: String] = [:]

    private var ids: [String] {
        [
            self.user, self.failed, self.event, self.credential, self.username, self.delivery, self.email, self.source,
            self.tag, self.action, self.key,
        ]
    }

    /// What must not be in any answer to a stranger.
    var secrets: [String] { self.ids + self.words }

    /// The secrets that an answer holds, without those that its request has named.
    func shown(in reply: Story.Reply, to request: String = "") -> [String] {
        self.secrets.filter { reply.body.contains($0) && !request.contains($0) }
    }

    func path(_ route: Route) -> String {
        route.path.replacing("{tenant}", with: self.tenant).replacing("{user}", with: self.user)
            .replacing("{event}", with: self.event)
    }

    /// The requests by which a route could find something of the tenant: one for each value of each of its parameters.
    ///
    /// The parameters are those of the route table. A parameter that has no value here fails the test.
    func requests(_ route: Route) -> [String] {
        let path = self.path(route)
        var requests = route.operation == .find ? [] : [path]
        for name in route.parameters {
            let values = self.values(name, route)
            if values.isEmpty { Issue.record("\(route.path): TenantThings has no value for \(name)") }
            requests += values.map { "\(path)?\(name)=\($0)" }
        }
        if route.path.contains("{user}") {
            var other = self
            other.user = self.failed
            requests.append(other.path(route))
        }
        return requests
    }

    private func values(_ parameter: String, _ route: Route) -> [String] {
        switch parameter {
        case "q": self.ids
        case "user_id": [self.user, self.failed]
        case "user_id_prefix": [String(self.user.prefix(4))]
        case "email": [self.email]
        case "sip_username": [self.username]
        case "source": [self.source]
        case "tag": [self.tag]
        case "after": self.cursors[route.operation.rawValue].map { [$0] } ?? []
        case "status": ["ready", "failed"]
        case "state": ["dead"]
        case "outcome": ["accepted", "quarantined", "waiting"]
        case "order": ["-received_at"]
        case "received_after": ["2020-01-01T00:00:00Z"]
        case "received_before": ["2200-01-01T00:00:00Z"]
        case "limit": ["200"]
        case "hours": ["48"]
        default: []
        }
    }

    /// A tenant and things that do not exist.
    static let nowhere = Self(
        tenant: "nowhere", user: "g-nobody", failed: "g-nobody-failed", event: "00000000-0000-7000-8000-000000000000",
        credential: "00000000-0000-4000-8000-000000000000", username: "gencredNOBODY", delivery: "msg_nowhere",
        email: "nobody@nowhere.example", source: "nowhere-app", tag: "nowhere.2", action: "nothing-asked",
        key: "kNoWhErE")
}
