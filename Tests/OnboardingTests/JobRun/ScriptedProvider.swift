// SPDX-License-Identifier: Apache-2.0
// This stand-in for the provider responds as a test says, and records its requests.

import Model
import Synchronization
import Telnyx

final class ScriptedProvider: TelephonyCredentialsAPI {
    /// What the provider does with each call. Unchanged, it has no credentials and gets no create.
    struct Script {
        var create: @Sendable (CreateRequest) -> CreateOutcome = { _ in .notSent("scripted") }
        var list: @Sendable (ListQuery) -> [TelephonyCredential] = { _ in [] }
        /// Runs before a list is answered, and may wait.
        var beforeList: @Sendable (ListQuery) async -> Void = { _ in }
        /// The total that a list reports. Without one it reports as many as it shows.
        var total: Int?
        /// How each list fails; nil: none does.
        var failure: TelnyxFailure?
        /// The ids that a retrieve finds.
        var there: Set<ProviderID> = []
        /// Ids of which nothing is to be heard.
        var silent: Set<ProviderID> = []
        /// The password that a retrieve shows.
        var password: Secret<String>? = Secret("password")
        var delete: @Sendable (ProviderID) -> TelnyxFailure? = { _ in nil }
    }

    private let script: Script
    private let sent = Mutex<[CreateRequest]>([])
    private let asked = Mutex<[ListQuery]>([])

    init(_ change: (inout Script) -> Void) {
        var script = Script()
        change(&script)
        self.script = script
    }

    /// The number of creates that were sent.
    var creates: Int { self.sent.withLock(\.count) }

    /// The queries of all lists so far.
    var lists: [ListQuery] { self.asked.withLock { $0 } }

    func create(_ request: CreateRequest) async -> CreateOutcome {
        self.sent.withLock { $0.append(request) }
        return self.script.create(request)
    }

    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        self.asked.withLock { $0.append(query) }
        await self.script.beforeList(query)
        if let failure = self.script.failure { throw failure }
        let shown = self.script.list(query)
        return CredentialPage(credentials: shown, totalPages: 1, totalResults: self.script.total ?? shown.count)
    }

    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        if self.script.silent.contains(id) { throw TelnyxFailure(.unavailable) }
        guard self.script.there.contains(id) else { throw TelnyxFailure(.notFound) }
        return TelephonyCredential(id: id, name: nil, sipUsername: "user", sipPassword: self.script.password)
    }

    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        if let failure = self.script.delete(id) { throw failure }
        return ProviderTrace()
    }

    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken { throw TelnyxFailure(.refused) }
}

extension ScriptedProvider {
    /// A provider that makes every credential it is asked for.
    static func willing() -> ScriptedProvider {
        ScriptedProvider {
            $0.create = { .created(.shown("made", named: $0.name ?? ""), ProviderTrace(httpStatus: 201)) }
        }
    }

    /// A provider that makes every credential it is asked for, under an id of its own.
    static func making() -> ScriptedProvider {
        ScriptedProvider {
            $0.create = { request in
                let name = request.name ?? ""
                return .created(.shown("id-\(name)", named: name), ProviderTrace(httpStatus: 201))
            }
        }
    }

    /// A provider that rejects every create. Its lists report `total` credentials.
    static func rejecting(code: String, total: Int) -> ScriptedProvider {
        ScriptedProvider {
            $0.create = { _ in
                .rejected(
                    status: 422, ProviderWords(code: code, text: "It cannot be done."), ProviderTrace(httpStatus: 422))
            }
            $0.total = total
        }
    }
}

extension TelephonyCredential {
    /// A credential as a response shows it, with its SIP username and password.
    static func shown(_ id: String, named name: String, isExpired: Bool = false) -> TelephonyCredential {
        TelephonyCredential(
            id: ProviderID(rawValue: id), name: name, expired: isExpired, sipUsername: "user",
            sipPassword: Secret("password"))
    }
}
