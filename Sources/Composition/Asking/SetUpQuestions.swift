// SPDX-License-Identifier: Apache-2.0
// What a command may ask of how an installation is set up, over HTTP with a key or in the database itself.

package import Model

/// Both ways give the same answers. In the database no key of the vault is needed but for sources.
package protocol SetUpQuestions: Sendable {
    /// Nil: there is no such tenant, or the key does not reach it.
    func tenant(_ id: TenantID) async throws -> TenantLine?
    /// The sources of one tenant; with nil all that may be seen.
    func sources(tenant: TenantID?) async throws -> [SourceLine]
    /// The API keys of one tenant; with nil all that may be seen.
    func keys(tenant: TenantID?) async throws -> [KeyLine]
    func limits() async throws -> [LimitLine]
}

extension Administration: SetUpQuestions {}

extension Door {
    /// Runs `work` with questions that go this way.
    package func askOfSetUp<Value: Sendable>(
        _ work: (any SetUpQuestions) async throws -> Value
    ) async throws -> Value {
        switch self {
        case .service(let address, let key, _):
            try await ServiceAPI.with(address, key: key) { try await work(RemoteSetUp(api: $0)) }
        case .database(let settings): try await work(Administration(settings))
        }
    }
}
