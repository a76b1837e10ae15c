// SPDX-License-Identifier: Apache-2.0
// One user, as lists show it: never a password.

package import Foundation
package import Model

package struct UserEntry: Sendable, Encodable {
    package let tenant: String
    package let userID: String
    package let status: String
    @OrNull package private(set) var credentialID: String?
    @OrNull package private(set) var sipUsername: String?
    @OrNull package private(set) var tag: String?
    package let generation: Generation
    package let receivedAt: Date
    @OrNull package private(set) var readyAt: Date?

    enum CodingKeys: String, CodingKey {
        case tenant, status, tag, generation
        case userID = "user_id"
        case credentialID = "credential_id"
        case sipUsername = "sip_username"
        case receivedAt = "received_at"
        case readyAt = "ready_at"
    }
}
