// SPDX-License-Identifier: Apache-2.0
// `dialtone send` in place of each preset's sender: through HTTP and the preset's own source to a user who is ready.

import Composition
import Foundation
import Intake
import Model
import Postgres
import TestSupport
import Testing

@Suite struct SendStoryTests {
    @Test func `each preset's events end as its sender means, and what is stale or forged is refused`() async throws {
        try await Story.with { story in
            for preset in Presets.names {
                let trial = try await SendTrial(preset, in: story)
                try await trial.create()
                try await trial.expectRefusals()
                try await trial.delete()
            }
        }
    }

    @Test func `a sender of the operator's own is sent from its configuration and a body`() async throws {
        try await Story.with { story in
            let configuration = Array(
                """
                {"grammar":1,"type":"/kind","delivery_id":"/number","user_id":"/who",
                 "time":{"header":"x-at","as":"seconds"},
                 "proofs":[{"kind":"hmac","hash":"sha512","encoding":"base64","header":"x-sig","id":"x-id",
                            "timestamp":{"header":"x-at","unit":"s","tolerance":60},
                            "content":"{id}.{timestamp}.{body}"}],
                 "rules":[{"on":"hired","person":"live","membership":"live"}]}
                """.utf8)
            let secret = "a-secret-of-the-operators-own"
            let source = try await story.administration.createSource(
                "own", tenant: try TenantID("acme"), allowed: [], preset: nil, configuration: configuration,
                secret: Array(secret.utf8))
            var order = SendOrder(url: source.url)
            order.configuration = configuration
            order.secret = Secret(secret)
            order.body = Array(#"{"kind":"hired","number":"7","who":"u-own"}"#.utf8)
            #expect(try await SendTrial.statuses(order) == [202])
            order.fault = .stale
            #expect(try await SendTrial.statuses(order) == [401])
            order.fault = .forged
            #expect(try await SendTrial.statuses(order) == [401])
            try await story.waitUntil("u-own", is: .ready)
        }
    }

    @Test func `a user is followed to its end through the API and through the database`() async throws {
        try await Story.with { story in
            let address = try APIAddress(hook: story.hookURL, named: nil, publicURL: nil)
            let api = FollowByAPI(at: address, key: Secret(story.key))
            for user in ["by-api ü/1", "by-database"] {
                var order = SendOrder(url: story.hookURL)
                (order.secret, order.user, order.organization) = (Secret(story.secret), user, "acme")
                for (event, goal) in [("created", UserStatus.ready), ("deleted", .revoked)] {
                    order.event = event
                    let said = Said()
                    let start = Date()
                    #expect(try await SendTrial.statuses(order) == [202])
                    if user == "by-database" {
                        try await story.administration.follow(
                            try Story.user(user), until: goal, timeout: .seconds(60), since: start
                        ) { said.add($0) }
                    } else {
                        try await api.run(
                            try Story.user(user), until: goal, timeout: .seconds(60), since: start
                        ) { said.add($0) }
                    }
                    #expect(said.lines.last == "user \(user) of acme is \(goal.rawValue)")
                    #expect(said.lines.contains { $0.contains(" → ") }, "\(said.lines)")
                }
            }
            let error = await #expect(throws: NotThere.self) {
                try await api.run(
                    try Story.user("nobody"), until: .ready, timeout: .zero, since: Date()
                ) { _ in }
            }
            #expect(error?.description.contains("there is no user nobody of acme") == true)
        }
    }
}
