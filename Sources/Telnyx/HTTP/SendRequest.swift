// SPDX-License-Identifier: Apache-2.0
// Sends one request within a deadline and a size limit, and tells whether a failed one was certainly not sent.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

extension TelnyxClient {
    /// Makes any call but a create. Returns the reply of the expected status, or throws the failure by its kind.
    func call(
        _ method: HTTPMethod, _ path: String, accept: String? = nil, expecting expected: Int
    ) async throws(TelnyxFailure) -> TelnyxReply {
        let reply: TelnyxReply
        do {
            reply = try await self.send(method, path, accept: accept)
        } catch {
            throw TelnyxFailure(.unavailable)
        }
        if reply.status == expected { return reply }
        let words = ProviderWords(body: reply.body)
        switch reply.status {
        case 404: throw TelnyxFailure(.notFound, reply.trace, words: words)
        case 401, 403: throw TelnyxFailure(.refused, reply.trace, words: words)
        case 429:
            throw TelnyxFailure(
                .rateLimited, reply.trace, words: words, retryAfter: reply.retryAfter(now: self.now()))
        case 400, 422: throw TelnyxFailure(.rejected, reply.trace, words: words)
        default: throw TelnyxFailure(.unavailable, reply.trace, words: words)
        }
    }

    /// Sends a request and returns its complete reply, whatever its status.
    ///
    /// Cancelled here: the request is aborted; whether it arrived is not known, and the error says so.
    func send(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, accept: String? = nil
    ) async throws -> TelnyxReply {
        var request = HTTPClientRequest(url: self.configuration.baseURL + path)
        request.method = method
        request.headers = self.headers
        if let accept { request.headers.replaceOrAdd(name: "accept", value: accept) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let deadline = NIODeadline.now() + .nanoseconds(self.configuration.deadline.nanoseconds)
        let response = try await self.http.execute(request, deadline: deadline)
        return TelnyxReply(
            status: Int(response.status.code), headers: response.headers,
            body: try await self.read(response.body, until: deadline))
    }

    /// Reads a body within the deadline and the size limit.
    ///
    /// AsyncHTTPClient's own deadline ends with the head. A body that trickles is cut off here; a body that never comes
    /// is cut off by the read timeout. Together no call lasts longer than twice its deadline.
    private func read(_ body: HTTPClientResponse.Body, until deadline: NIODeadline) async throws -> Data {
        var data = Data()
        for try await chunk in body {
            guard NIODeadline.now() < deadline else { throw HTTPClientError.deadlineExceeded }
            guard data.count + chunk.readableBytes <= self.configuration.maximumBody else {
                throw NIOTooManyBytesError(maxBytes: self.configuration.maximumBody)
            }
            data.append(contentsOf: chunk.readableBytesView)
        }
        return data
    }

    /// Returns true only for failures to get a connection: without a connection nothing was written.
    ///
    /// AsyncHTTPClient tells a request that its head was sent only after writing the head. So a request that was not
    /// told may still have been sent.
    static func isProvablyUnsent(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        // An address that needs no resolving fails with the bare error of connect(2). No other call gives this error.
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return true }
        guard let error = error as? HTTPClientError else { return false }
        return [.connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .alreadyShutdown].contains(error)
    }

    /// Returns a failure in a few words for the log.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is CancellationError: "cancelled"
        case is NIOTooManyBytesError: "answer too long"
        default: "connection failed"
        }
    }
}

extension Duration {
    var nanoseconds: Int64 { self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000 }
}
