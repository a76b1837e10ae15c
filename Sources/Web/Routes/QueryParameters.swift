// SPDX-License-Identifier: Apache-2.0
// The query of a request, read strictly: a parameter that is mistyped or given twice must not be passed over.
//
// Without this a list with `?stauts=failed` would show everybody, and look right.

import Foundation
import HTTPTypes
import Hummingbird
import Model

struct QueryParameters: Sendable {
    private var values: [String: String] = [:]

    /// Throws 400 for a parameter that is not among `known`, for one that is given twice, and for a value that is not
    /// percent-encoded UTF-8. The text names the parameter, and never a value.
    init(_ request: Request, known: [String]) throws(Problem) {
        try self.init(request.uri.query ?? "", known: known)
    }

    /// `query` is what follows the `?`.
    init(_ query: String, known: [String]) throws(Problem) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0]).removingPercentEncoding ?? String(parts[0])
            guard known.contains(name) else { throw Self.unknown(name, known) }
            guard let value = String(parts.dropFirst().first ?? "").removingPercentEncoding else {
                throw Problem(400, "invalid_value", "\(name) must be percent-encoded UTF-8")
            }
            guard self.values.updateValue(value, forKey: name) == nil else {
                throw Problem(400, "repeated_parameter", "\(name) is given twice; it may be given once")
            }
        }
    }

    subscript(name: String) -> String? { self.values[name] }

    private static func unknown(_ name: String, _ known: [String]) -> Problem {
        let shown = Self.isShort(name) ? name : "one of the names"
        guard let nearest = NearestName.of(name, among: known) else {
            return Problem(400, "unknown_parameter", "\(shown) is no parameter of this route, which has none")
        }
        let all = known.joined(separator: ", ")
        return Problem(
            400, "unknown_parameter", "\(shown) is no parameter here; did you mean \(nearest)? There are: \(all)")
    }

    /// A text that is long or has other characters is no mistyped name, and may be a secret in the wrong place.
    private static func isShort(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}
