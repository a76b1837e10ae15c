// SPDX-License-Identifier: Apache-2.0
// The simulator gives login tokens of a credential until the credential expires.

import Foundation
import NIOHTTP1
import Testing

@Suite struct LoginTokenTests {
    @Test func `a login token is plain text and does not outlive its credential`() async throws {
        try await RunningSimulator.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            let token = try await provider.ask(.POST, "\(RunningSimulator.path)/\(id)/token")
            #expect(token.status == 201 && token.headers.first(name: "content-type")?.hasPrefix("text/plain") == true)
            let claims = try Self.claims(token.body)
            #expect(claims.exp - claims.iat == 86_400)
            let soon = Date(timeIntervalSinceNow: 600)
            let text = String(soon.formatted(.iso8601).dropLast())
            let short = try #require(try await provider.create("short", expires: text).text("id"))
            let second = try await provider.ask(.POST, "\(RunningSimulator.path)/\(short)/token")
            #expect(try Self.claims(second.body).exp == soon.timeIntervalSince1970.rounded(.down))
        }
    }

    private struct Claims: Decodable {
        var exp: Double
        var iat: Double
    }

    private static func claims(_ token: String) throws -> Claims {
        let parts = token.split(separator: ".")
        #expect(parts.count == 3)
        var text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return try JSONDecoder().decode(Claims.self, from: try #require(Data(base64Encoded: String(text))))
    }

    @Test func `an expired credential gives no token and takes no change, but can be deleted`() async throws {
        try await RunningSimulator.with { provider in
            let soon = String(Date(timeIntervalSinceNow: 600).formatted(.iso8601).dropLast())
            let id = try #require(try await provider.create("n", expires: soon).text("id"))
            #expect(try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":700}").status == 200)
            let token = try await provider.ask(.POST, "\(RunningSimulator.path)/\(id)/token")
            #expect(token.text("code") == "55001" && (400..<500).contains(token.status))
            let patch = try await provider.ask(.PATCH, "\(RunningSimulator.path)/\(id)", "{\"name\":\"m\"}")
            #expect(patch.body == "{\"errors\":{\"status\":\"can't update credentials in expired status\"}}")
            #expect(try await provider.list("filter[status]=expired").text("id") == id)
            #expect(try await provider.list("filter[status]=active").body.contains("\"data\":[]"))
            #expect(try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(id)").status == 200)
        }
    }
}
