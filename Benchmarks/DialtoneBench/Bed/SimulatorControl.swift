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
        var request = URLRequest(url: try self.url("faults"))
        request.httpMethod = "PUT"
        request.httpBody = Data("{\"rules\":\(rules)}".utf8)
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
