// SPDX-License-Identifier: Apache-2.0
// The form of a request that was not stored: the names and lengths of its headers, and the length of its body.

import Foundation

/// One header of a request, without its value.
package struct HeaderLength: Sendable, Equatable, Codable {
    package let name: String
    /// Of the value.
    package let bytes: Int

    package init(name: String, bytes: Int) {
        self.name = name
        self.bytes = bytes
    }
}

/// Holds no value of a header and no byte of the body. Whoever sends the request cannot make it long.
package struct RequestForm: Sendable, Equatable, Codable {
    /// Headers that are kept at most, and the bytes of a name.
    static let maximumHeaders = 40
    static let maximumName = 40

    package let headers: [HeaderLength]
    /// Nil: the body was not read, and the request did not tell its length.
    package let body: Int?

    package init(headers: [HeaderLength], body: Int?) {
        self.headers = headers.prefix(Self.maximumHeaders).map { header in
            HeaderLength(
                name: Shortened.prefix(of: header.name.lowercased(), bytes: Self.maximumName), bytes: header.bytes)
        }
        self.body = body
    }

    /// Reads the column `samples.form`. Nil for a text that this version does not know.
    init?(json: String) {
        guard let form = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else { return nil }
        self = form
    }

    /// The column `samples.form`.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(self)) ?? Data("{}".utf8)
        return String(decoding: data, as: UTF8.self)
    }
}
