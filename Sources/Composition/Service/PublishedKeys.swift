// SPDX-License-Identifier: Apache-2.0
// Fetches the keys that a sender publishes, from addresses of the public internet alone.

import AsyncHTTPClient
import Foundation
import Intake
import Logging
import NIOCore
import NIOHTTP1
import Postgres

/// An operator names the address, and a name may come to lead inside. So the name is looked up first. The request goes
/// to the address that was judged and to no other, also when the name leads elsewhere a moment later.
struct PublishedKeys: Sendable {
    enum Failure: Error, Equatable {
        case unknownName
        /// The name leads to an address that is not of the public internet.
        case notPublic
        case status(UInt)
    }

    let logger: Logger
    /// Returns every address of a name, numeric, the best one first.
    var lookUp: @Sendable (_ name: String) async throws -> [String] = { try await Resolver.addresses(of: $0) }
    /// Whether an address may be connected to.
    var isPublic: @Sendable (_ address: String) -> Bool = { PublicAddress.isPublic($0) }

    /// The longest time of the whole fetch.
    private static let deadline = TimeAmount.seconds(5)

    /// Returns the document at an address, of so many bytes at most. Follows no redirect. A failure is told in the log:
    /// the sender's deliveries wait for these keys.
    func document(at address: JWKSAddress, maximumBytes: Int) async throws -> [UInt8] {
        do {
            return try await self.read(address, maximumBytes)
        } catch {
            self.logger.warning(
                "a sender's published keys could not be fetched",
                metadata: ["address": "\(address)", "error": "\(error)"])
            throw error
        }
    }

    private func read(_ address: JWKSAddress, _ maximumBytes: Int) async throws -> [UInt8] {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(3), read: Self.deadline))
        configuration.dnsOverride = [address.host: try await self.judgedAddress(of: address.host)]
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let document: Result<[UInt8], any Error>
        do {
            document = .success(try await Self.get(address, by: client, maximumBytes))
        } catch {
            document = .failure(error)
        }
        try? await client.shutdown()
        return try document.get()
    }

    private static func get(
        _ address: JWKSAddress, by client: HTTPClient, _ maximumBytes: Int
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: address.text)
        request.headers = ["accept": "application/jwk-set+json, application/json"]
        let answer = try await client.execute(request, deadline: .now() + Self.deadline)
        guard answer.status == .ok else { throw Failure.status(answer.status.code) }
        return Array(buffer: try await answer.body.collect(upTo: maximumBytes))
    }

    /// Returns the best address of a name. Each of its addresses must be public: a name with one inside is somebody's
    /// trick, or the operator's mistake.
    private func judgedAddress(of name: String) async throws -> String {
        guard let found = try? await self.lookUp(name), let best = found.first else { throw Failure.unknownName }
        guard found.allSatisfy(self.isPublic) else { throw Failure.notPublic }
        return best
    }
}
