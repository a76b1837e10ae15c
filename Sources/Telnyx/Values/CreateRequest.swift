// SPDX-License-Identifier: Apache-2.0
// The request for a new credential.

/// The body of POST /telephony_credentials, with every field that the vendor documents.
package struct CreateRequest: Sendable, Encodable, Equatable {
    package var connectionID: String
    package var name: String?
    package var tag: String?
    /// ISO 8601. Nil leaves the provider's default.
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
