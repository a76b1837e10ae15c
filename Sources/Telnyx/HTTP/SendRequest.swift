// SPDX-License-Identifier: Apache-2.0
// Sends one request within a deadline and a size limit, and says in a few words why one has failed.

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
import NIOSSL

extension TelnyxClient {
    /// Makes any call but a create. Returns the reply of the expected status, or throws the failure by its kind.
    ///
    /// `client` is the HTTP client that sends it; nil for the one of all other calls.
    func call(
        _ method: HTTPMethod, _ path: String, accept: String? = nil, expecting expected: Int,
        by client: HTTPClient? = nil
    ) async throws(TelnyxFailure) -> TelnyxReply {
        let reply: TelnyxReply
        do {
            reply = try await self.send(method, path, accept: accept, by: client)
        } catch {
            throw TelnyxFailure(.unavailable, words: ProviderWords(text: Self.reason(error)))
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
        _ method: HTTPMethod, _ path: String, body: ObservedBody? = nil, accept: String? = nil,
        by client: HTTPClient? = nil
    ) async throws -> TelnyxReply {
        var request = HTTPClientRequest(url: self.configuration.baseURL + path)
        request.method = method
        let key = self.key
        request.headers = Self.headers(key)
        if let accept { request.headers.replaceOrAdd(name: "accept", value: accept) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(body)
        }
        let deadline = NIODeadline.now() + .nanoseconds(self.configuration.deadline.nanoseconds)
        var response = try await (client ?? self.http).execute(request, deadline: deadline)
        // A call that was refused with 401 has done nothing, so it may be sent again.
        if response.status == .unauthorized, let renewed = await self.configuration.renewedKey?(key) {
            _ = try? await self.read(response.body, until: deadline)
            // A create may start only while its lease has room for it. The HTTP client would send after its deadline too.
            guard NIODeadline.now() < deadline else { throw HTTPClientError.deadlineExceeded }
            try Task.checkCancellation()
            request.headers.replaceOrAdd(name: "authorization", value: "Bearer \(renewed.reveal())")
            if let body { request.body = .bytes(body) }
            response = try await (client ?? self.http).execute(request, deadline: deadline)
        }
        let reply = TelnyxReply(
            status: Int(response.status.code), headers: response.headers,
            body: try await self.read(response.body, until: deadline))
        if let heard = self.configuration.heard {
            // Only login tokens have a client of their own.
            let calls: LimitedCalls = client != nil ? .tokens : method == .GET ? .reads : .writes
            // A 429 asks for a pause; after it the limit begins anew.
            let told = reply.status == 429 ? nil : reply.limit(now: self.now())
            heard(calls, told, reply.isSilentRefusal(now: self.now()))
        }
        return reply
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

    /// Returns a failure in a few words for the log. No word of the request is in it.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is CancellationError: "cancelled"
        case is NIOTooManyBytesError: "answer too long"
        case is NIOSSLError, is NIOSSLExtraError: "TLS failed"
        default: "connection failed"
        }
    }
}

extension Duration {
    var nanoseconds: Int64 { self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000 }
}
