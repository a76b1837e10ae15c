// SPDX-License-Identifier: Apache-2.0
// The members of a credential that a create or an update sets.

/// The body of a create or an update.
struct CredentialFields: Decodable, Sendable {
    var connection_id: String?
    var name: String?
    var tag: String?
    var expires_at: String?
}
