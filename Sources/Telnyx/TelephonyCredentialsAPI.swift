// SPDX-License-Identifier: Apache-2.0
// The provider's telephony credentials API as Dialtone uses it: what can be asked, and every kind of answer.

package import Foundation
package import Model

/// The seam between Dialtone and the provider; tests put a scripted one here.
package protocol TelephonyCredentialsAPI: Sendable {
    /// The one call that is not idempotent. Never throws: every outcome has a name.
    func create(_ request: CreateRequest) async -> CreateOutcome
    /// One page, counted from 1.
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential
    func update(_ id: ProviderID, _ request: UpdateRequest) async throws(TelnyxFailure) -> TelephonyCredential
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace
    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken
}

extension TelephonyCredentialsAPI {
    /// A list that holds as many as its last page says there are. Pages shift while credentials come and go, and one
    /// may fall between two of them: then the list is taken again, three times at most.
    package func listWhole(
        _ query: ListQuery, until deadline: ContinuousClock.Instant
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        for _ in 1...3 {
            var all: [ProviderID: TelephonyCredential] = [:]
            var total = 0
            for number in 1...1000 {
                if ContinuousClock.now >= deadline { throw TelnyxFailure(.unavailable) }
                let page = try await self.list(query, page: number)
                for credential in page.credentials { all[credential.id] = credential }
                total = page.totalResults ?? 0
                if page.credentials.isEmpty || number >= (page.totalPages ?? Int.max) { break }
            }
            if all.count >= total { return Array(all.values) }
        }
        throw TelnyxFailure(.unreadable)
    }

    /// Every page of a list, up to the last one or an empty one; each credential once, though pages shift. A list
    /// without an end, or that has none by `deadline`, is a failed look: what it holds beyond is not known, and must
    /// not be taken for absent.
    package func listAll(
        _ query: ListQuery, until deadline: ContinuousClock.Instant? = nil, maximumPages: Int = 1000
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        var all: [TelephonyCredential] = []
        var ids: Set<ProviderID> = []
        for number in 1...maximumPages {
            if let deadline, ContinuousClock.now >= deadline { throw TelnyxFailure(.unavailable) }
            let page = try await self.list(query, page: number)
            all += page.credentials.filter { ids.insert($0.id).inserted }
            if page.credentials.isEmpty || number >= (page.totalPages ?? Int.max) { return all }
        }
        throw TelnyxFailure(.unreadable)
    }
}

/// POST /telephony_credentials: every field the vendor documents.
package struct CreateRequest: Sendable, Encodable, Equatable {
    package var connectionID: String
    package var name: String?
    package var tag: String?
    /// ISO 8601; nil leaves the provider's default.
    package var expiresAt: String?

    package init(connectionID: String, name: String?, tag: String?, expiresAt: String?) {
        self.connectionID = connectionID
        self.name = name
        self.tag = tag
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case connectionID = "connection_id"
        case name, tag
        case expiresAt = "expires_at"
    }
}

/// PATCH: only what is given changes. There is no way to change a password.
package struct UpdateRequest: Sendable, Encodable {
    package var connectionID: String?
    package var name: String?
    package var tag: String?
    package var expiresAt: String?

    package init(connectionID: String? = nil, name: String? = nil, tag: String? = nil, expiresAt: String? = nil) {
        self.connectionID = connectionID
        self.name = name
        self.tag = tag
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case connectionID = "connection_id"
        case name, tag
        case expiresAt = "expires_at"
    }
}

/// The filters of a list; `resourceID` is `connection:<id>`.
package struct ListQuery: Sendable {
    package var name: String?
    package var tag: String?
    package var status: String?
    package var resourceID: String?
    package var sipUsername: String?
    /// 1 to 250.
    package var pageSize: Int

    package init(
        name: String? = nil, tag: String? = nil, status: String? = nil, resourceID: String? = nil,
        sipUsername: String? = nil, pageSize: Int = 250
    ) {
        self.name = name
        self.tag = tag
        self.status = status
        self.resourceID = resourceID
        self.sipUsername = sipUsername
        self.pageSize = pageSize
    }
}

/// One page of a list.
package struct CredentialPage: Sendable {
    package var credentials: [TelephonyCredential]
    package var totalPages: Int?
    package var totalResults: Int?

    package init(credentials: [TelephonyCredential], totalPages: Int?, totalResults: Int?) {
        self.credentials = credentials
        self.totalPages = totalPages
        self.totalResults = totalResults
    }
}

/// A credential as the provider shows it. Fields it may add (some may be secret) are dropped unread.
package struct TelephonyCredential: Sendable {
    package var id: ProviderID
    package var name: String?
    package var resourceID: String?
    package var expired: Bool
    package var sipUsername: String?
    package var sipPassword: Secret<String>?
    package var createdAt: Date?
    package var expiresAt: Date?
    package var updatedAt: Date?

    package init(
        id: ProviderID, name: String?, resourceID: String? = nil, expired: Bool = false, sipUsername: String?,
        sipPassword: Secret<String>?, createdAt: Date? = nil, expiresAt: Date? = nil, updatedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.resourceID = resourceID
        self.expired = expired
        self.sipUsername = sipUsername
        self.sipPassword = sipPassword
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.updatedAt = updatedAt
    }
}

extension TelephonyCredential {
    /// Whether this is the credential of that name. How long a name may be is not documented: one that was cut is still
    /// ours while it is too long to be anybody else's (40 of its characters hold 140 bits of a hash).
    package func bears(_ name: String) -> Bool {
        guard let own = self.name else { return false }
        return own == name || own.utf8.count >= 40 && name.hasPrefix(own)
    }
}

/// What the provider's answer is known by, for the log.
package struct ProviderTrace: Sendable, Equatable {
    package var httpStatus: Int?
    package var requestID: String?

    package init(httpStatus: Int? = nil, requestID: String? = nil) {
        self.httpStatus = httpStatus
        self.requestID = requestID
    }
}

/// The provider's own words about a refusal, cut short and cleaned.
package struct ProviderWords: Sendable, Equatable {
    package var code: String?
    package var text: String?

    package init(code: String? = nil, text: String? = nil) {
        self.code = code
        self.text = text
    }
}

extension ProviderWords {
    /// Whether a refusal speaks of a tag that holds all it may, in words the vendor has not published.
    package var soundLikeFullTag: Bool {
        let words = (self.text ?? "").lowercased()
        return words.contains("tag")
            && ["maximum", "limit", "full", "exceed", "1000", "too many", "at most"].contains { words.contains($0) }
    }
}

/// What became of a create.
package enum CreateOutcome: Sendable {
    /// 201, read, and it bears our name or none.
    case created(TelephonyCredential, ProviderTrace)
    /// There was no connection to send it on.
    case notSent
    /// 429; the wait is between 1 s and 15 min.
    case rateLimited(Duration, ProviderTrace)
    /// 401: the account; 403: the connection.
    case unauthorised(RefusedScope, ProviderTrace)
    /// 400, 404, 422.
    case rejected(status: Int, ProviderWords, ProviderTrace)
    /// Everything else: it may have been made.
    case inDoubt(String, ProviderTrace)
}

package enum RefusedScope: Sendable, Equatable {
    case account, connection
}

/// Why another call did not work.
package struct TelnyxFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case notFound, rateLimited, refused, rejected, unavailable, unreadable
    }

    package var kind: Kind
    package var trace: ProviderTrace
    package var words: ProviderWords
    /// For `rateLimited`.
    package var retryAfter: Duration?

    package init(
        _ kind: Kind, _ trace: ProviderTrace = ProviderTrace(), words: ProviderWords = ProviderWords(),
        retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.trace = trace
        self.words = words
        self.retryAfter = retryAfter
    }

    package var isNotFound: Bool { self.kind == .notFound }

    package var description: String {
        let status = self.trace.httpStatus.map { " (HTTP \($0))" } ?? ""
        let words = [self.words.code, self.words.text].compactMap { $0 }.joined(separator: " ")
        return "provider: \(self.kind.rawValue)\(status)\(words.isEmpty ? "" : ": \(words)")"
    }
}

/// A WebRTC login token.
package struct LoginToken: Sendable {
    package var token: Secret<String>
    package var expiresAt: Date

    package init(token: Secret<String>, expiresAt: Date) {
        self.token = token
        self.expiresAt = expiresAt
    }
}
