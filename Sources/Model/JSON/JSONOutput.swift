// SPDX-License-Identifier: Apache-2.0
// How the program writes JSON, over HTTP and on the command line: the same value has the same text in both.

package import Foundation

package enum JSONOutput {
    /// Returns one value on one line. Times are as `RFC3339.text` writes them, members in alphabetical order.
    package static func data(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(RFC3339.text(date))
        }
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return try encoder.encode(value)
    }
}
