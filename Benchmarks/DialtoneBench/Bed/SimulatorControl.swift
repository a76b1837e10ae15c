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
        try await self.put("{\"rules\":\(rules)}", at: "faults")
    }

    /// Lets the simulator take so many calls in each span of time, and refuse the others with a 429.
    func setLimit(calls: Int, seconds: Int) async throws {
        try await self.put("{\"calls\":\(calls),\"seconds\":\(seconds)}", at: "limit")
    }

    private func put(_ body: String, at path: String) async throws {
        var request = URLRequest(url: try self.url(path))
        request.httpMethod = "PUT"
        request.httpBody = Data(body.utf8)
        _ = try await URLSession.shared.data(for: request)
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
