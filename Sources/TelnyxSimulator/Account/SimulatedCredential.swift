// SPDX-License-Identifier: Apache-2.0
// A credential as the provider keeps it and shows it.

import Foundation
import Model

/// A credential in the account. The tag is kept and can be filtered by, but is never shown.
struct SimulatedCredential: Codable, Sendable {
    var id: String
    var connectionID: String
    var name: String
    var tag: String?
    var sipUsername: String
    var sipPassword: String
    var createdAt: Date
    var updatedAt: Date
    var expiresAt: Date
    /// Lists do not show the credential before this time; nil unless a fault says so.
    var listedFrom: Date?

    func isExpired(_ now: Date) -> Bool { self.expiresAt <= now }
    var resourceID: String { "connection:\(self.connectionID)" }

    /// Returns the response object: no tag, no connection_id, and dates in two forms, as in the vendor's own example.
    func json(now: Date) -> String {
        """
        {"id":"\(self.id)","record_type":"credential","name":\(JSONText.quoted(self.name)),\
        "resource_id":"\(self.resourceID)","expired":\(self.isExpired(now)),"sip_username":"\(self.sipUsername)",\
        "sip_password":"\(self.sipPassword)","created_at":"\(VendorDate.plain(self.createdAt))",\
        "expires_at":"\(VendorDate.plain(self.expiresAt))","updated_at":"\(VendorDate.plain(self.updatedAt)).000Z",\
        "user_id":"5a1e8f1c-0f5c-4a6e-9a57-1f6b5a3d2c10"}
        """
    }
}
