// SPDX-License-Identifier: Apache-2.0
// Around an outage of the database: apps and customers are served again soon, and workers go on with what there is.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import PrivatePostgres
import Testing

@Suite(.timeLimit(.minutes(10))) struct OutageTests {
    @Test(arguments: Outage.allCases)
    func `after an outage apps and customers are served soon, and each sign-up has one credential`(
        outage: Outage
    ) async throws {
        try await RestorePlace.with { place in
            try await place.withNode { running in
                let http = place.provider.http
                let requests = try await Self.requests(to: running)
                try await running.signUp(1...2)
                try await running.waitUntilReady(2)
                for request in requests { try await request.until(200, by: http) }
                // Some of these are in hand when the outage begins.
                #expect(try await running.signUp(3...6) == [202, 202, 202, 202])

                try await outage.begin(at: place)
                for request in requests { try await request.until(503, by: http) }
                try await outage.end(at: place)
                let end = ContinuousClock.now
                for request in requests { try await request.until(200, by: http) }
                #expect(ContinuousClock.now - end < Outage.soon)

                var node = running
                node.admin = try await PostgresConnection.connect(
                    PostgresConfiguration(url: place.server.url(database: "dialtone")))
                while try await node.send(.created, 7) != 202 {
                    try #require(ContinuousClock.now - end < .seconds(30), "sign-ups are refused for ever")
                }
                #expect(ContinuousClock.now - end < Outage.soon * 2)
                try await node.waitUntilReady(7)
                #expect(try await place.provider.live() == 7)
                await node.admin.close()
            }
        }
    }

    /// A read of a user, and a login token for each of two users.
    private static func requests(to node: RestorePlace.RunningNode) async throws -> [RepeatedRequest] {
        let key = try await node.administration.createKey(tenant: try TenantID("acme"), scopes: Scope.allCases).key
        let headers: HTTPHeaders = ["authorization": "Bearer \(key)", "content-type": "application/json"]
        let read = RepeatedRequest(url: node.address + "/v1/tenants/acme/users/u-1", headers: headers)
        let tokens = ["u-1", "u-2"].map { user in
            RepeatedRequest(
                method: .POST, url: node.address + "/v1/login-tokens", body: "{\"user_id\":\"\(user)\"}",
                headers: headers)
        }
        return [read] + tokens
    }
}
