// SPDX-License-Identifier: Apache-2.0
// `dialtone check --ready`: asks a running service whether it is ready.

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1

package enum ReadinessProbe {
    /// Returns the problem of the service at this address, host:port or a URL; nil when it is ready.
    package static func problem(of address: String) async throws -> String? {
        let url = "\(address.contains("://") ? address : "http://\(address)")/readyz"
        guard URL(string: url)?.host != nil else { throw InvalidValue("--ready", "must be host:port or a URL") }
        let http = HTTPClient()
        let problem: String?
        do {
            let answer = try await http.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            let body = String(buffer: try await answer.body.collect(upTo: 4096))
            problem = answer.status == .ok ? nil : "answered \(answer.status.code): \(Self.detail(body))"
        } catch {
            problem = "gave no answer"
        }
        try await http.shutdown()
        return problem
    }

    private static func detail(_ body: String) -> String {
        struct Problem: Decodable { var detail: String }
        return (try? JSONDecoder().decode(Problem.self, from: Data(body.utf8)).detail) ?? "no reason given"
    }
}
