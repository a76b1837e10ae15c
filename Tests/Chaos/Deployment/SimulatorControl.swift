// SPDX-License-Identifier: Apache-2.0
// The simulator's controls: its counts and credentials, and the faults that it is told to have.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension Deployment {
    struct Counts: Decodable {
        struct One: Decodable { var creates: Int }
        var unsettled: Int
        var names: [String: One]
    }

    func counts() async throws -> Counts { try await self.ask("/control/counts", for: Counts.self) }

    /// Returns the answer of the simulator's controls at this path.
    func ask<Answer: Decodable>(_ path: String, for _: Answer.Type) async throws -> Answer {
        let answer = try await self.http.execute(HTTPClientRequest(url: self.provider + path), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 26)
        return try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView))
    }

    /// Replaces the simulator's faults by these.
    func setFaults(_ rules: [ProviderFault]) async throws {
        var request = HTTPClientRequest(url: self.provider + "/control/faults")
        request.method = .PUT
        request.body = .bytes(try JSONEncoder().encode(["rules": rules]))
        let answer = try await self.http.execute(request, timeout: .seconds(2))
        guard answer.status == .ok else { throw ChaosError.notReady("the simulator") }
    }
}
