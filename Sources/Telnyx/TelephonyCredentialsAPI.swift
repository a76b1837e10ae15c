// SPDX-License-Identifier: Apache-2.0
// The provider's telephony credentials API as Dialtone uses it: the calls that the rest of the program may make.

// Only this target knows how Telnyx looks. Everything else calls `TelephonyCredentialsAPI`, and reads its results as
// the types in `Values`. `HTTP` holds the client that makes the calls in production. A create is the one call that
// may not be repeated: a second one would make a second credential. So `create` never throws, and `CreateOutcome`
// names what may have happened, doubt included. The other calls may be repeated, and throw `TelnyxFailure`.

package import Model

/// The seam between Dialtone and the provider. Tests put a scripted provider here.
package protocol TelephonyCredentialsAPI: Sendable {
    /// Makes a credential. This is the one call that is not idempotent. It never throws: every outcome has a name.
    func create(_ request: CreateRequest) async -> CreateOutcome
    /// Returns one page of a list. Pages are counted from 1.
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage
    /// Returns the credential of that id, or throws `notFound`.
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential
    /// Deletes the credential of that id, or throws `notFound`.
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace
    /// Mints a login token of the credential.
    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken
}
