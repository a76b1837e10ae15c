// SPDX-License-Identifier: Apache-2.0
// The provider's JSON bodies, read leniently: odd or unknown members of a credential do no harm.

import Foundation
import Model

/// `{"data": …, "meta": …}`. Fields we do not know are never decoded, because they may be secrets.
struct TelnyxBody<Payload: Decodable>: Decodable {
    var data: Payload
    var meta: Meta?

    struct Meta: Decodable {
        var totalPages: Int?
        var totalResults: Int?

        enum CodingKeys: String, CodingKey {
            case totalPages = "total_pages"
            case totalResults = "total_results"
        }
    }
}

/// A credential in any body. Only its id must be there.
///
/// The vendor's schema promises no field at all. One odd element must not blind us to the rest of its page.
struct CredentialPayload: Decodable {
    let credential: TelephonyCredential

    private enum Key: String, CodingKey {
        case id, name, resource_id, expired, sip_username, sip_password, created_at, expires_at, updated_at
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func text(_ key: Key) -> String? { try? fields.decode(String.self, forKey: key) }
        func date(_ key: Key) -> Date? { text(key).flatMap(ProviderDate.read) }
        self.credential = TelephonyCredential(
            id: ProviderID(rawValue: try fields.decode(String.self, forKey: .id)), name: text(.name),
            resourceID: text(.resource_id), expired: (try? fields.decode(Bool.self, forKey: .expired)) ?? false,
            sipUsername: text(.sip_username), sipPassword: text(.sip_password).map { Secret($0) },
            createdAt: date(.created_at), expiresAt: date(.expires_at), updatedAt: date(.updated_at))
    }
}

/// The dates in a credential. One object mixes all these forms:
/// "2020-06-18T21:32:38", "2020-06-18T21:32:38.000Z", "2020-06-18 21:32:38.917732Z".
enum ProviderDate {
    /// Returns the date; a time without a zone is UTC.
    static func read(_ text: String) -> Date? { RFC3339.date(text, assumesUTC: true) }
}
