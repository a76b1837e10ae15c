// SPDX-License-Identifier: Apache-2.0
// The simulator's controls: the faults that it is told to have, and what it has counted.

import Foundation
import FoundationNetworking

struct SimulatorControl {
    private let address: String

    /// `provider` is the address that the service calls, which ends in `/v2`.
    init(provider: String) { self.address = provider.replacing("/v2", with: "/control") }

    /// Replaces the simulator's faults by these rules, a JSON array.
    func setFaults(_ rules: String) async throws {
        try await self.send("PUT", "faults", "{\"rules\":\(rules)}")
    }

    /// Lets the simulator take so many calls in each span of time, and refuse the others with a 429.
    func setLimit(calls: Int, seconds: Int) async throws {
        try await self.send("PUT", "limit", "{\"calls\":\(calls),\"seconds\":\(seconds)}")
    }

    /// Gives the account credentials without a call for each, so many under each tag. The control `seed` has the form
    /// of their ids and names.
    func seed(connection: String, namePrefix: String, tags: [(tag: String, credentials: Int)]) async throws {
        let list = tags.map { "{\"tag\":\"\($0.tag)\",\"credentials\":\($0.credentials)}" }.joined(separator: ",")
        try await self.send(
            "POST", "seed",
            "{\"connection_id\":\"\(connection)\",\"name_prefix\":\"\(namePrefix)\",\"tags\":[\(list)]}")
    }

    private func send(_ method: String, _ path: String, _ body: String) async throws {
        var request = URLRequest(url: try self.url(path))
        request.httpMethod = method
        request.httpBody = Data(body.utf8)
        request.timeoutInterval = 300
        let (_, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw BenchError.refused("control \(path)") }
    }

    /// Returns the answer of the simulator's controls at this path.
    func ask<Answer: Decodable>(_ path: String, for _: Answer.Type) async throws -> Answer {
        let (data, _) = try await URLSession.shared.data(from: try self.url(path))
        return try JSONDecoder().decode(Answer.self, from: data)
    }

    private func url(_ path: String) throws -> URL {
        guard let url = URL(string: "\(self.address)/\(path)") else {
            throw BenchError.refused("the simulator's address")
        }
        return url
    }
}
