// SPDX-License-Identifier: Apache-2.0
// The client asks for a connection and tells what the provider knows of it, and does not take silence for an answer.

import Testing

@testable import Telnyx

@Suite struct CredentialConnectionTests {
    private static let unknown = "{\"errors\":[{\"code\":\"10005\",\"title\":\"Resource not found\"}]}"

    @Test(
        arguments: [
            (.reply(200, "{\"data\":{\"id\":\"12\",\"active\":true,\"password\":\"hush\"}}"), "active"),
            (.reply(200, "{\"data\":{\"id\":\"12\"}}"), "active"),
            (.reply(200, "{\"data\":{\"id\":\"12\",\"active\":false}}"), "inactive"),
            (.reply(404, Self.unknown), "missing"), (.reply(422, Self.unknown), "missing"),
            (.reply(404), "unknown(\"HTTP 404\")"), (.reply(403, Self.unknown), "unknown(\"HTTP 403\")"),
            (.reply(500), "unknown(\"HTTP 500\")"), (.reply(200, "[]"), "unknown(\"HTTP 200\")"),
        ] as [(ScriptedServer.Step, String)])
    func `a connection is there, switched off, missing or not known`(
        step: ScriptedServer.Step, expected: String
    ) async throws {
        try await ScriptedClient.with([step]) { client, server in
            let state = await client.connection("1 2")
            #expect("\(state)" == expected)
            #expect(server.seen.map(\.line) == ["GET /v2/credential_connections/1%202 HTTP/1.1"])
        }
    }
}
