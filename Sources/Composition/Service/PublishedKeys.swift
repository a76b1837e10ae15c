// SPDX-License-Identifier: Apache-2.0
// Fetches the keys that a sender publishes, from addresses of the public internet alone.

import AsyncHTTPClient
import Dispatch
import Foundation
import Intake
import Logging
import NIOCore
import NIOHTTP1

/// An operator names the address, and a name may come to lead inside. So the name is looked up first, and the request
/// goes to the address that was judged and to no other, also when the name is looked up differently a moment later.
enum PublishedKeys {
    enum Failure: Error {
        case unknownName
        /// The name leads to an address that is not of the public internet.
        case notPublic
        case status(UInt)
    }

    /// The longest time of the whole fetch.
    private static let deadline = TimeAmount.seconds(5)

    /// Returns the document at an address, of so many bytes at most. Follows no redirect. A failure is told in the log:
    /// the sender's deliveries wait for these keys.
    static func document(at address: JWKSAddress, maximumBytes: Int, logger: Logger) async throws -> [UInt8] {
        do {
            return try await self.document(at: address, maximumBytes)
        } catch {
            logger.warning(
                "a sender's published keys could not be fetched",
                metadata: ["address": "\(address)", "error": "\(error)"])
            throw error
        }
    }

    private static func document(at address: JWKSAddress, _ maximumBytes: Int) async throws -> [UInt8] {
        guard let host = URLComponents(string: address.text)?.host else { throw Failure.unknownName }
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(3), read: Self.deadline))
        configuration.dnsOverride = [host: try await Self.publicAddress(of: host)]
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

    /// Returns the address that a name leads to. The system's resolver blocks, so it has a thread of its own.
    private static func publicAddress(of host: String) async throws -> String {
        try await withCheckedThrowingContinuation { waiting in
            DispatchQueue.global().async { waiting.resume(with: Result { try Self.lookUp(host) }) }
        }
    }

    private static func lookUp(_ host: String) throws -> String {
        let name = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        let address = try SocketAddress.makeAddressResolvingHost(name, port: 443)
        let bytes: [UInt8] =
            switch address {
            case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
            case .v6(let address): withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            case .unixDomainSocket: []
            }
        guard PublicAddress.isPublic(bytes), let text = address.ipAddress else { throw Failure.notPublic }
        return text
    }
}
