// SPDX-License-Identifier: Apache-2.0
// The HTTP client of the provider: one request a call, without redirects and without retries of its own.

package import AsyncHTTPClient
package import Foundation
package import Model
import NIOCore
import NIOHTTP1
import NIOSSL

/// The production client of the telephony credentials API.
package struct TelnyxClient: TelephonyCredentialsAPI {
    package struct Configuration: Sendable {
        /// Includes `/v2`, without a slash at the end.
        package var baseURL: String
        package var apiKey: Secret<String>
        /// Returns the key in use; asked at each call, because an operator may change it. Nil: `apiKey` for ever.
        package var currentKey: (@Sendable () -> Secret<String>)?
        /// Returns another key than the one the provider has refused with 401; nil when there is none.
        package var renewedKey: (@Sendable (Secret<String>) async -> Secret<String>?)?
        /// Gets what each reply says of the provider's limit. `isSilentRefusal`: a 429 that says nothing.
        package var heard: Heard?
        /// The time for a whole call, its body included.
        package var deadline: Duration
        /// The most bytes of a response's body. A page of 250 credentials has about 150 KB.
        package var maximumBody = 1 << 20

        package init(baseURL: String, apiKey: Secret<String>, deadline: Duration = .seconds(10)) {
            self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
            self.apiKey = apiKey
            self.deadline = deadline
        }
    }

    package typealias Heard =
        @Sendable (_ calls: LimitedCalls, _ told: LimitHeaders?, _ isSilentRefusal: Bool) -> Void

    let configuration: Configuration
    let http: HTTPClient
    /// For login tokens. With connections of their own, tokens and the worker's calls cannot take each other's.
    private let tokens: HTTPClient
    let now: @Sendable () -> Date

    /// `tokens` is the HTTP client for login tokens; nil for `http`.
    package init(
        configuration: Configuration, http: HTTPClient, tokens: HTTPClient? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.configuration = configuration
        self.http = http
        self.tokens = tokens ?? http
        self.now = now
    }

    /// The key for the next call.
    var key: Secret<String> { self.configuration.currentKey?() ?? self.configuration.apiKey }

    static func headers(_ key: Secret<String>) -> HTTPHeaders {
        ["authorization": "Bearer \(key.reveal())", "accept": "application/json", "user-agent": "dialtone"]
    }

    /// Returns the settings of the HTTP client that this client needs.
    package static func httpConfiguration(
        concurrency: Int, deadline: Duration, proxy: ProviderProxy? = nil
    ) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        // The library's own minimum is TLS 1.0.
        tls.minimumTLSVersion = .tlsv12
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // A redirect must not carry the key to another host.
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(2), read: .nanoseconds(deadline.nanoseconds)),
            connectionPool: .init(
                // Idle connections are dropped before the provider drops them: a close during a POST is doubt.
                idleTimeout: .seconds(20), concurrentHTTP1ConnectionsPerHostSoftLimit: concurrency),
            proxy: proxy?.configuration, decompression: .disabled)
        configuration.httpVersion = .http1Only
        // The client must not try a connection a second time on its own.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    // MARK: Calls

    package func create(_ request: CreateRequest) async -> CreateOutcome {
        let body: ObservedBody
        do {
            body = ObservedBody(try JSONEncoder().encode(request))
        } catch {
            return .notSent("unreadable request")
        }
        let reply: TelnyxReply
        do {
            reply = try await self.send(.POST, "/telephony_credentials", body: body)
        } catch {
            // A create whose body nobody has asked for never left, whatever went wrong: no connection, no tunnel, no
            // TLS, or a request that the HTTP client refused to write.
            return body.wasRead ? .inDoubt(Self.reason(error), ProviderTrace()) : .notSent(Self.reason(error))
        }
        switch reply.status {
        case 201:
            // A credential without a name still answers this request. One with another name may not.
            guard let made = try? reply.decode(TelnyxBody<CredentialPayload>.self).data.credential,
                made.name == nil || made.bears(request.name ?? "")
            else { return .inDoubt("unreadable", reply.trace) }
            return .created(made, reply.trace)
        case 429: return .rateLimited(reply.retryAfter(now: self.now()), reply.trace)
        case 401: return .unauthorised(.account, reply.trace)
        case 403: return .unauthorised(.connection, reply.trace)
        case 400, 404, 422: return .rejected(status: reply.status, ProviderWords(body: reply.body), reply.trace)
        default: return .inDoubt("status", reply.trace)
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
        let reply = try await self.call(.GET, "/telephony_credentials?\(text)", expecting: 200)
        let body = try reply.read(TelnyxBody<[CredentialPayload]>.self)
        return CredentialPage(
            credentials: body.data.map(\.credential), totalPages: body.meta?.totalPages,
            totalResults: body.meta?.totalResults)
    }

    package func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        let reply = try await self.call(.GET, Self.path(id), expecting: 200)
        return try reply.read(TelnyxBody<CredentialPayload>.self).data.credential
    }

    package func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        try await self.call(.DELETE, Self.path(id), expecting: 200).trace
    }

    package func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        let reply = try await self.call(
            .POST, "\(Self.path(id))/token", accept: "text/plain", expecting: 201, by: self.tokens)
        guard let token = LoginToken(body: reply.body) else { throw TelnyxFailure(.unreadable, reply.trace) }
        return token
    }

    // MARK: Paths

    private static func path(_ id: ProviderID) -> String { "/telephony_credentials/\(Self.encoded(id.rawValue))" }

    /// Escapes everything but the unreserved characters of RFC 3986.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
