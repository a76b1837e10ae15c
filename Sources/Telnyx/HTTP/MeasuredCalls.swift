// SPDX-License-Identifier: Apache-2.0
// The provider's API with each call counted and timed: by operation, and by the class of its answer.

package import Model
package import Telemetry

/// Passes every call on, and notes how long it took and which status came back.
package struct MeasuredCalls: TelephonyCredentialsAPI {
    private let api: any TelephonyCredentialsAPI
    private let calls: Series<ProviderCall, Histogram>

    package init(_ api: any TelephonyCredentialsAPI, in metrics: Measurements) {
        self.api = api
        self.calls = metrics.providerCalls
    }

    package func create(_ request: CreateRequest) async -> CreateOutcome {
        let began = ContinuousClock.now
        let outcome = await self.api.create(request)
        self.calls.observe(ProviderCall(.create, status: outcome.status), ContinuousClock.now - began)
        return outcome
    }

    package func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        try await self.measuring(.list) { () async throws(TelnyxFailure) in
            try await self.api.list(query, page: page)
        }
    }

    package func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        try await self.measuring(.get) { () async throws(TelnyxFailure) in try await self.api.retrieve(id) }
    }

    package func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        try await self.measuring(.delete) { () async throws(TelnyxFailure) in try await self.api.delete(id) }
    }

    package func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        try await self.measuring(.token) { () async throws(TelnyxFailure) in try await self.api.token(id) }
    }

    private func measuring<Value>(
        _ operation: ProviderCall.Operation, _ call: () async throws(TelnyxFailure) -> Value
    ) async throws(TelnyxFailure) -> Value {
        let began = ContinuousClock.now
        do {
            let value = try await call()
            self.calls.observe(ProviderCall(operation, status: 200), ContinuousClock.now - began)
            return value
        } catch {
            let status = error.trace.httpStatus
            self.calls.observe(ProviderCall(operation, status: status), ContinuousClock.now - began)
            throw error
        }
    }
}

extension CreateOutcome {
    /// The HTTP status of the reply; nil when none came, or none that was whole.
    fileprivate var status: Int? {
        switch self {
        case .created: 201
        case .notSent: nil
        case .rateLimited(_, let trace), .unauthorised(_, let trace), .rejected(_, _, let trace),
            .inDoubt(_, let trace):
            trace.httpStatus
        }
    }
}
