// SPDX-License-Identifier: Apache-2.0
// The service's API as a command calls it: one key, one address, and no redirect that the key could go with.

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1

struct ServiceAPI: Sendable {
    let address: APIAddress
    let key: Secret<String>
    let http: HTTPClient
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    private static let patience: TimeAmount = .seconds(30)
    private static let maximumBody = 32 << 20

    /// Runs `work` with a client of its own.
    static func with<Value: Sendable>(
        _ address: APIAddress, key: Secret<String>, _ work: (ServiceAPI) async throws -> Value
    ) async throws -> Value {
        let http = HTTPClient(configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
        do {
            let value = try await work(ServiceAPI(address: address, key: key, http: http))
            try? await http.shutdown()
            return value
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    /// Calls a route and reads its answer. Returns nil for 404. Throws `ServiceProblem` for any other refusal.
    ///
    /// Cancelled here: the call is given up.
    func call<Value: Decodable>(
        _ type: Value.Type, _ path: String, _ query: [(String, String?)] = [], method: HTTPMethod = .GET
    ) async throws -> Value? {
        let (status, body) = try await self.sendWithinQuota(self.request(path, query, method: method))
        if status == 404 { return nil }
        guard status == 200 else { throw ServiceProblem(status: status, body: body) }
        do {
            return try Self.decoder.decode(type, from: body)
        } catch {
            throw NotThere(description: "the answer of \(self.address.base) cannot be read: is it a Dialtone service?")
        }
    }

    /// Opens a stream. The caller reads its lines until it ends.
    func open(_ path: String, lastID: String?) async throws -> HTTPClientResponse.Body {
        var request = self.request(path, [], method: .GET)
        request.headers.replaceOrAdd(name: "accept", value: "text/event-stream")
        if let lastID { request.headers.add(name: "last-event-id", value: lastID) }
        do {
            let answer = try await self.http.execute(request, deadline: .distantFuture)
            guard answer.status == .ok else {
                let bytes = try await answer.body.collect(upTo: 1 << 16)
                throw ServiceProblem(status: Int(answer.status.code), body: Data(bytes.readableBytesView))
            }
            return answer.body
        } catch let problem as ServiceProblem {
            throw problem
        } catch {
            throw NoAnswer(from: self.address.base, error)
        }
    }

    private func request(_ path: String, _ query: [(String, String?)], method: HTTPMethod) -> HTTPClientRequest {
        let given = query.compactMap { name, value in value.map { "\(name)=\(PathPart.encoded($0))" } }
        let rest = given.isEmpty ? "" : "?" + given.joined(separator: "&")
        var request = HTTPClientRequest(url: self.address.base + path + rest)
        request.method = method
        request.headers = [
            "authorization": "Bearer \(self.key.reveal())", "accept": "application/json",
            "user-agent": "dialtone/\(Administration.version)",
        ]
        return request
    }

    /// Waits as long as the service says when the key has asked too often, for a minute each time and three times.
    private func sendWithinQuota(_ request: HTTPClientRequest) async throws -> (status: Int, body: Data) {
        for _ in 0..<3 {
            let (status, body, wait) = try await self.send(request)
            guard status == 429, let wait, wait <= 60 else { return (status, body) }
            try await self.sleep(.seconds(wait))
        }
        let (status, body, _) = try await self.send(request)
        return (status, body)
    }

    private func send(_ request: HTTPClientRequest) async throws -> (status: Int, body: Data, wait: Int?) {
        do {
            let answer = try await self.http.execute(request, timeout: Self.patience)
            let bytes = try await answer.body.collect(upTo: Self.maximumBody)
            let wait = answer.headers.first(name: "retry-after").flatMap { Int($0) }.map { max(1, $0) }
            return (Int(answer.status.code), Data(bytes.readableBytesView), wait)
        } catch {
            throw NoAnswer(from: self.address.base, error)
        }
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            guard let date = RFC3339.date(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no time of RFC 3339")
            }
            return date
        }
        return decoder
    }
}
