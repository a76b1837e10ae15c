// SPDX-License-Identifier: Apache-2.0
// The simulated provider of a test: its credentials, its counts, and the faults it is given.

import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Testing

struct StoryProvider: Sendable {
    /// Without `/v2`.
    let url: String
    /// An API key that it accepts.
    let key: String
    let http: HTTPClient

    /// One credential, its secrets included.
    struct Credential: Decodable, Sendable {
        var id: String
        var name: String
        var tag: String?
        var sip_username: String
        var sip_password: String
    }

    /// How often a name was created and deleted.
    struct Calls: Decodable, Equatable, Sendable {
        var creates: Int
        var deletes: Int
    }

    private struct Counts: Decodable {
        var names: [String: Calls]
        var live: Int
    }

    // MARK: What it holds

    func credentials() async throws -> [Credential] {
        struct Held: Decodable { var data: [Credential] }
        return try await self.control(.GET, "credentials?secrets=1").decode(Held.self).data
    }

    /// The ids of all credentials, the oldest first.
    func ids() async throws -> [String] { try await self.credentials().map(\.id) }

    /// The calls for each name that was ever created, in no order.
    func callsPerName() async throws -> [Calls] { Array(try await self.counts().names.values) }

    /// The calls for all names together.
    func callsInAll() async throws -> Calls {
        try await self.callsPerName().reduce(into: Calls(creates: 0, deletes: 0)) {
            $0.creates += $1.creates
            $0.deletes += $1.deletes
        }
    }

    /// How many credentials there are, by the provider's own count.
    func live() async throws -> Int { try await self.counts().live }

    private func counts() async throws -> Counts {
        try await self.control(.GET, "counts").decode(Counts.self)
    }

    /// Asks the simulator's controls.
    func control(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> Story.Reply {
        try await self.http.reply(
            method, "\(self.url)/control/\(path)", body, ["authorization": "Bearer \(self.key)"])
    }

    // MARK: What happens there without Dialtone

    /// Makes a credential behind Dialtone's back.
    func make(name: String, tag: String) async throws {
        struct Fields: Encodable {
            var connection_id = "1000000001"
            var name: String
            var tag: String
        }
        let body = String(decoding: try JSONEncoder().encode(Fields(name: name, tag: tag)), as: UTF8.self)
        let reply = try await self.http.reply(
            .POST, self.url + "/v2/telephony_credentials", body,
            ["authorization": "Bearer \(self.key)", "content-type": "application/json"])
        try #require(reply.status == 201)
    }

    /// Deletes a credential behind Dialtone's back.
    func loses(_ id: String) async throws {
        let reply = try await self.http.reply(
            .DELETE, self.url + "/v2/telephony_credentials/\(id)", "", ["authorization": "Bearer \(self.key)"])
        try #require(reply.status == 200)
    }

    // MARK: What it does wrong

    /// These faults, instead of those before.
    func misbehaves(_ faults: ProviderFault...) async throws { try await self.setFaults(faults) }

    /// The answer to the next calls is `status`, and nothing is done.
    func refuses(
        _ operation: ProviderFault.Operation, with status: Int, times: Int, connection: String? = nil
    ) async throws {
        try await self.setFaults([.refusal(of: operation, with: status, times: times, connection: connection)])
    }

    /// No fault any more.
    func behaves() async throws { try await self.setFaults([]) }

    private func setFaults(_ faults: [ProviderFault]) async throws {
        let body = String(decoding: try JSONEncoder().encode(["rules": faults]), as: UTF8.self)
        let reply = try await self.control(.PUT, "faults", body)
        try #require(reply.status == 200)
    }
}
