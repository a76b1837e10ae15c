// SPDX-License-Identifier: Apache-2.0
// What senders' own packages sign and send is accepted as it is, and what they sign with another key is not.

import Composition
import Foundation
import Model
import Testing

@Suite struct OfficialPackageTests {
    private static let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    @Test func `the official svix package signs for Svix and Clerk, and is accepted`() async throws {
        try await Story.with { story in
            let svix = try await Self.source("svix", preset: "svix", secret: Self.secret, in: story)
            let clerk = try await Self.source("clerk", preset: "clerk", secret: Self.secret, in: story)
            try await OutsideProgram.python("svix_package.py", [svix, clerk, Self.secret])
            for user in ["svix-1", "svix-2", "svix-3", "clerk-1", "clerk-2", "clerk-3"] {
                try await story.waitUntil(user, is: .ready)
            }
            #expect(try await story.users().count == 6)
        }
    }

    @Test func `the official stripe package signs, and is accepted`() async throws {
        try await Story.with { story in
            let secret = "whsec_madeUpStripe0001"
            let configuration = try SentFolder("stripe").configuration(.fixed)
            let url = try await Self.source(
                "stripe", preset: nil, configuration: configuration, secret: secret, in: story)
            try await OutsideProgram.python("stripe_package.py", [url, secret])
            for user in ["cus_1", "cus_2"] { try await story.waitUntil(user, is: .ready) }
            #expect(try await story.users().count == 2)
        }
    }

    @Test func `the official cloudevents package sends in every mode, and is accepted`() async throws {
        try await Story.with { story in
            let token = "made-up-ce-token-31"
            let url = try await Self.source("cloudevents", preset: "cloudevents", secret: token, in: story)
            try await OutsideProgram.python("cloudevents_package.py", [url, token])
            let users = ["ce-1", "ce-2", "cé|3 Ż %41", "ce-4", "ce-5", "ce-6", "ce-7", "ce-8"]
            for user in users { try await story.waitUntil(user, is: .ready) }
            #expect(try await story.users().count == users.count)
            #expect(try await story.eventCount() == users.count)
        }
    }

    /// Makes a source of the tenant `acme`, and returns its address.
    private static func source(
        _ slug: String, preset: String?, configuration: [UInt8]? = nil, secret: String, in story: Story
    ) async throws -> String {
        try await story.administration.createSource(
            slug, tenant: try TenantID("acme"), allowed: [], preset: preset, configuration: configuration,
            secret: Array(secret.utf8)
        ).url
    }
}
