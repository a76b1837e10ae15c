// SPDX-License-Identifier: Apache-2.0
// One user, as lists show it: never a password.

package import Foundation
package import Model

package struct UserEntry: Sendable, Codable {
    package let tenant: String
    package let userID: String
    /// The name and the address, where a source hands them over.
    @OrNull package private(set) var name: String?
    @OrNull package private(set) var email: String?
    package let status: String
    /// Why the user stands there; nil where it was not asked for.
    @OrNull package var why: Why?
    @OrNull package private(set) var credentialID: String?
    @OrNull package private(set) var sipUsername: String?
    @OrNull package private(set) var tag: String?
    package let generation: Generation
    package let receivedAt: Date
    @OrNull package private(set) var readyAt: Date?

    enum CodingKeys: String, CodingKey {
        case tenant, name, email, status, why, tag, generation
        case userID = "user_id"
        case credentialID = "credential_id"
        case sipUsername = "sip_username"
        case receivedAt = "received_at"
        case readyAt = "ready_at"
    }
}
