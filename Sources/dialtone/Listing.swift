// SPDX-License-Identifier: Apache-2.0
// The JSON form of every listing: `{"data":[…],"next":…}`.

/// `next` is the start of the next page, and null when there is none.
struct Listing<Element: Encodable>: Encodable {
    var data: [Element]
    var next: String?

    enum CodingKeys: CodingKey { case data, next }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.data, forKey: .data)
        try container.encode(self.next, forKey: .next)
    }
}
