// SPDX-License-Identifier: Apache-2.0
// The form that a body of the API must have. Webhooks may have any, because their bytes are proven before they are read.

enum MediaType {
    /// Throws 415 unless Content-Type is absent or JSON (RFC 9110 section 8.3). Parameters have no meaning for JSON.
    static func requireJSON(_ values: [String]) throws(Problem) {
        guard let value = values.first else { return }
        let type = value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard values.count == 1, type == "application/json" || Self.hasJSONSuffix(type) else {
            throw Problem(415, "content_type", "Content-Type must be application/json.")
        }
    }

    /// Such as `application/vnd.example+json` (RFC 6839 section 3.1).
    private static func hasJSONSuffix(_ type: String) -> Bool {
        type.hasPrefix("application/") && type.hasSuffix("+json")
    }
}
