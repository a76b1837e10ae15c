// SPDX-License-Identifier: Apache-2.0
// Follows a user through the HTTP API, with a key that may read users.

import AsyncHTTPClient
package import Foundation
package import Model
import NIOCore
import NIOHTTP1

package struct FollowByAPI: Sendable {
    private let base: String
    private let key: Secret<String>

    package init(at address: APIAddress, key: Secret<String>) {
        self.base = address.base
        self.key = key
    }

    /// Returns when the user stands at `goal`; throws `NotThere` when it does not get there in time.
    package func run(
        _ user: UserKey, until goal: UserStatus, timeout: Duration, since: Date,
        say: @escaping @Sendable (String) -> Void
    ) async throws {
        // The key would go with a redirect.
        let http = HTTPClient(configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
        do {
            try await FollowUser(user: user, goal: goal, timeout: timeout, since: since, say: say).run {
                try await self.look(user, by: http)
            }
            try await http.shutdown()
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func look(_ user: UserKey, by http: HTTPClient) async throws -> UserLook? {
        struct Entry: Decodable { var status: String }
        struct Timeline: Decodable {
            struct Step: Decodable {
                var at: String
                var from: String
                var to: String
                var error_code: String?
            }
            var data: [Step]
        }
        var unreserved = CharacterSet.alphanumerics
        unreserved.formIntersection(CharacterSet(charactersIn: "\u{0}"..."\u{7F}"))
        unreserved.insert(charactersIn: "-._~")
        let name = user.user.rawValue.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        let path = "/v1/tenants/\(user.tenant.rawValue)/users/\(name)"
        guard let entry = try await self.get(Entry.self, path, by: http),
            let timeline = try await self.get(Timeline.self, "\(path)/timeline", by: http),
            let status = UserStatus(rawValue: entry.status)
        else { return nil }
        return UserLook(
            status: status,
            steps: timeline.data.reversed().map {
                UserLook.Step(at: $0.at, from: $0.from, to: $0.to, reason: $0.error_code)
            })
    }

    private struct Problem: Decodable { var code: String }

    /// Returns nil for 404.
    private func get<Value: Decodable>(_ type: Value.Type, _ path: String, by http: HTTPClient) async throws -> Value? {
        var request = HTTPClientRequest(url: self.base + path)
        request.headers = ["authorization": "Bearer \(self.key.reveal())"]
        let (status, body): (Int, Data)
        do {
            let answer = try await http.execute(request, timeout: .seconds(10))
            let bytes = try await answer.body.collect(upTo: 1 << 20)
            (status, body) = (Int(answer.status.code), Data(bytes.readableBytesView))
        } catch { throw NoAnswer(from: self.base, error) }
        switch status {
        case 404: return nil
        case 200:
            guard let value = try? JSONDecoder().decode(type, from: body) else {
                throw NotThere(description: "the answer of the API cannot be read")
            }
            return value
        case 300..<400:
            throw NotThere(description: "the API redirects (\(status)), which is not followed: set DIALTONE_URL")
        default:
            let code = (try? JSONDecoder().decode(Problem.self, from: body))?.code ?? "no code"
            throw NotThere(description: "the API answers \(status) (\(code)); DIALTONE_API_KEY needs users:read")
        }
    }
}
