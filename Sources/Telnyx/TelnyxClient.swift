// SPDX-License-Identifier: Apache-2.0
// The HTTP side of the provider: one request per call, no redirects, no retries of its own, a deadline and a size
// limit.

package import AsyncHTTPClient
package import Foundation
package import Model
import NIOCore
import NIOHTTP1
import NIOPosix

/// The production client of the telephony credentials API.
package struct TelnyxClient: TelephonyCredentialsAPI {
    package struct Configuration: Sendable {
        /// Includes `/v2`, without a slash at the end.
        package var baseURL: String
        package var apiKey: Secret<String>
        /// For a whole call, its body included.
        package var deadline: Duration
        /// Bytes of an answer at most; a page of 250 has about 150 KB.
        package var maximumAnswer = 1 << 20

        package init(baseURL: String, apiKey: Secret<String>, deadline: Duration = .seconds(10)) {
            self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
            self.apiKey = apiKey
            self.deadline = deadline
        }
    }

    private let configuration: Configuration
    private let http: HTTPClient
    private let now: @Sendable () -> Date
    private let headers: HTTPHeaders

    package init(
        configuration: Configuration, http: HTTPClient, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.configuration = configuration
        self.http = http
        self.now = now
        self.headers = [
            "authorization": "Bearer \(configuration.apiKey.reveal())", "accept": "application/json",
            "user-agent": "dialtone",
        ]
    }

    /// The HTTP client this needs: idle connections are dropped before the provider drops them (a close during a POST
    /// is doubt), no redirects (a key must not travel), and no second try of a connection on its own.
    package static func httpConfiguration(concurrency: Int, deadline: Duration) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(2), read: .nanoseconds(deadline.nanoseconds)),
            connectionPool: .init(
                idleTimeout: .seconds(20), concurrentHTTP1ConnectionsPerHostSoftLimit: concurrency),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    // MARK: Calls

    package func create(_ request: CreateRequest) async -> CreateOutcome {
        let body: Data
        do {
            body = try JSONEncoder().encode(request)
        } catch {
            return .notSent
        }
        let answer: Reply
        do {
            answer = try await self.send(.POST, "/telephony_credentials", body: body)
        } catch {
            return Self.isProvablyUnsent(error) ? .notSent : .inDoubt(Self.reason(error), ProviderTrace())
        }
        switch answer.status {
        case 201:
            // Without a name it is still the answer to this request; with another's it may not be.
            guard let made = try? self.decode(Answer<CredentialPayload>.self, answer).data.credential,
                made.name == nil || made.bears(request.name ?? "")
            else { return .inDoubt("unreadable", answer.trace) }
            return .created(made, answer.trace)
        case 429: return .rateLimited(answer.retryAfter(now: self.now()), answer.trace)
        case 401: return .unauthorised(.account, answer.trace)
        case 403: return .unauthorised(.connection, answer.trace)
        case 400, 404, 422: return .rejected(status: answer.status, ProviderWords(body: answer.body), answer.trace)
        default: return .inDoubt("status", answer.trace)
        }
    }

    package func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        var items: [(String, String)] = []
        for (name, value) in [
            ("name", query.name), ("tag", query.tag), ("status", query.status), ("resource_id", query.resourceID),
            ("sip_username", query.sipUsername),
        ] {
            if let value { items.append(("filter[\(name)]", value)) }
        }
        items.append(("page[number]", "\(page)"))
        items.append(("page[size]", "\(query.pageSize)"))
        let text = items.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
        let answer = try await self.call(.GET, "/telephony_credentials?\(text)", expecting: 200)
        let decoded = try self.read(Answer<[CredentialPayload]>.self, answer)
        return CredentialPage(
            credentials: decoded.data.map(\.credential), totalPages: decoded.meta?.totalPages,
            totalResults: decoded.meta?.totalResults)
    }

    package func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        let answer = try await self.call(.GET, Self.path(id), expecting: 200)
        return try self.read(Answer<CredentialPayload>.self, answer).data.credential
    }

    package func update(
        _ id: ProviderID, _ request: UpdateRequest
    ) async throws(TelnyxFailure) -> TelephonyCredential {
        let body = try? JSONEncoder().encode(request)
        let answer = try await self.call(.PATCH, Self.path(id), body: body, expecting: 200)
        return try self.read(Answer<CredentialPayload>.self, answer).data.credential
    }

    package func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        try await self.call(.DELETE, Self.path(id), expecting: 200).trace
    }

    package func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        let answer = try await self.call(.POST, "\(Self.path(id))/token", accept: "text/plain", expecting: 201)
        guard let token = LoginToken(body: answer.body) else { throw TelnyxFailure(.unreadable, answer.trace) }
        return token
    }

    // MARK: One request

    private struct Reply {
        var status: Int
        var headers: HTTPHeaders
        var body: Data

        var trace: ProviderTrace {
            ProviderTrace(
                httpStatus: self.status,
                requestID: self.headers.first(name: "x-request-id").map { String($0.prefix(100)) })
        }

        func retryAfter(now: Date) -> Duration { RateLimitWait.read({ self.headers.first(name: $0) }, now: now) }
    }

    /// Cancelled here: the request is aborted; whether it arrived is not known, and the error says so.
    private func send(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, accept: String? = nil
    ) async throws -> Reply {
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
        return Reply(
            status: Int(response.status.code), headers: response.headers,
            body: try await self.read(response.body, until: deadline))
    }

    /// The client's deadline ends with the head. A body that trickles is cut off here, one that never comes by the read
    /// timeout; together no call lasts longer than twice its deadline.
    private func read(_ body: HTTPClientResponse.Body, until deadline: NIODeadline) async throws -> Data {
        var data = Data()
        for try await chunk in body {
            guard NIODeadline.now() < deadline else { throw HTTPClientError.deadlineExceeded }
            guard data.count + chunk.readableBytes <= self.configuration.maximumAnswer else {
                throw NIOTooManyBytesError(maxBytes: self.configuration.maximumAnswer)
            }
            data.append(contentsOf: chunk.readableBytesView)
        }
        return data
    }

    /// Any call but create: the expected status, or the failure by its kind.
    private func call(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, accept: String? = nil, expecting expected: Int
    ) async throws(TelnyxFailure) -> Reply {
        let answer: Reply
        do {
            answer = try await self.send(method, path, body: body, accept: accept)
        } catch {
            throw TelnyxFailure(.unavailable)
        }
        if answer.status == expected { return answer }
        let words = ProviderWords(body: answer.body)
        switch answer.status {
        case 404: throw TelnyxFailure(.notFound, answer.trace, words: words)
        case 401, 403: throw TelnyxFailure(.refused, answer.trace, words: words)
        case 429:
            throw TelnyxFailure(
                .rateLimited, answer.trace, words: words, retryAfter: answer.retryAfter(now: self.now()))
        case 400, 422: throw TelnyxFailure(.rejected, answer.trace, words: words)
        default: throw TelnyxFailure(.unavailable, answer.trace, words: words)
        }
    }

    private func decode<Payload: Decodable>(_ type: Payload.Type, _ answer: Reply) throws -> Payload {
        try JSONDecoder().decode(type, from: answer.body)
    }

    private func read<Payload: Decodable>(_ type: Payload.Type, _ answer: Reply) throws(TelnyxFailure) -> Payload {
        do {
            return try self.decode(type, answer)
        } catch {
            throw TelnyxFailure(.unreadable, answer.trace)
        }
    }

    /// True only for failures to get a connection: without one nothing was written. AsyncHTTPClient tells a request
    /// that its head was sent after writing it, so "not told" alone would not prove it.
    private static func isProvablyUnsent(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        // An address that needs no resolving fails with the bare error of connect(2); no other call answers this one.
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return true }
        guard let error = error as? HTTPClientError else { return false }
        return [.connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .alreadyShutdown].contains(error)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is CancellationError: "cancelled"
        case is NIOTooManyBytesError: "answer too long"
        default: "connection failed"
        }
    }

    private static func path(_ id: ProviderID) -> String { "/telephony_credentials/\(Self.encoded(id.rawValue))" }

    /// RFC 3986: everything but unreserved characters.
    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

extension Duration {
    var nanoseconds: Int64 { self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000 }
}
