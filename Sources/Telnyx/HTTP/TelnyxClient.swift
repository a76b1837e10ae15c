// SPDX-License-Identifier: Apache-2.0
// The HTTP client of the provider: one request a call, without redirects and without retries of its own.

package import AsyncHTTPClient
package import Foundation
package import Model
import NIOCore
import NIOHTTP1

/// The production client of the telephony credentials API.
package struct TelnyxClient: TelephonyCredentialsAPI {
    package struct Configuration: Sendable {
        /// Includes `/v2`, without a slash at the end.
        package var baseURL: String
        package var apiKey: Secret<String>
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

    let configuration: Configuration
    let http: HTTPClient
    let now: @Sendable () -> Date
    let headers: HTTPHeaders

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

    /// Returns the settings of the HTTP client that this client needs.
    package static func httpConfiguration(concurrency: Int, deadline: Duration) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            // A redirect must not carry the key to another host.
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(2), read: .nanoseconds(deadline.nanoseconds)),
            connectionPool: .init(
                // Idle connections are dropped before the provider drops them: a close during a POST is doubt.
                idleTimeout: .seconds(20), concurrentHTTP1ConnectionsPerHostSoftLimit: concurrency),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // The client must not try a connection a second time on its own.
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
        let reply: TelnyxReply
        do {
            reply = try await self.send(.POST, "/telephony_credentials", body: body)
        } catch {
            return Self.isProvablyUnsent(error) ? .notSent : .inDoubt(Self.reason(error), ProviderTrace())
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
        let reply = try await self.call(.POST, "\(Self.path(id))/token", accept: "text/plain", expecting: 201)
        guard let token = LoginToken(body: reply.body) else { throw TelnyxFailure(.unreadable, reply.trace) }
        return token
    }

    // MARK: Paths

    private static func path(_ id: ProviderID) -> String { "/telephony_credentials/\(Self.encoded(id.rawValue))" }

    /// Escapes everything but the unreserved characters of RFC 3986.
    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
