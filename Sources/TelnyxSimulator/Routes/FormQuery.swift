// SPDX-License-Identifier: Apache-2.0
// Reads the query of a request.

import Foundation

/// application/x-www-form-urlencoded, as the vendor's SDKs send their queries: `+` is a space.
enum FormQuery {
    static func items(_ query: String) -> [(String, String)] {
        query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (self.decoded(parts[0]), parts.count > 1 ? self.decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = text.replacing("+", with: " ")
        return String(spaced).removingPercentEncoding ?? String(spaced)
    }
}
