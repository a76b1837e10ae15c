// SPDX-License-Identifier: Apache-2.0
// One thing that a search has found, and where it stands in the API.

package import Model

package struct Found: Sendable, Codable, Equatable {
    /// 'user', 'event', 'key' or 'source'.
    package let kind: String
    package let id: String
    /// How it was found, in words: "the SIP username is the user's".
    package let text: String
    /// Its place in the API; null: it has none.
    @OrNull package var path: String?
    /// The user that it leads to; null: none.
    @OrNull package var userID: String?

    enum CodingKeys: String, CodingKey {
        case kind, id, text, path
        case userID = "user_id"
    }
}
