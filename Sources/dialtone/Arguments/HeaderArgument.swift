// SPDX-License-Identifier: Apache-2.0
// A header that an argument or a line of a file gives, as `name: value`.

import Foundation
import Model

enum HeaderArgument {
    static func read(_ text: String) throws -> (name: String, value: String) {
        try Self.read(text, "--header", "must be 'name: value'")
    }

    /// Reads a file with a header on each line; `-` is standard input. Empty lines say nothing. An error names the line,
    /// and nothing of it: it may hold a secret.
    static func list(inFile path: String) throws -> [(name: String, value: String)] {
        let option = "--headers-file"
        guard let text = String(validating: try FileArgument.read(path, option: option), as: UTF8.self) else {
            throw InvalidValue(option, "names a file that is no UTF-8 text")
        }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return try lines.enumerated().compactMap { number, line in
            guard !line.allSatisfy(\.isWhitespace) else { return nil }
            return try Self.read(String(line), option, "line \(number + 1) must be 'name: value'")
        }
    }

    private static func read(
        _ text: String, _ option: String, _ reason: String
    ) throws -> (name: String, value: String) {
        guard let colon = text.firstIndex(of: ":") else { throw InvalidValue(option, reason) }
        return (
            String(text[..<colon]).trimmingCharacters(in: .whitespaces),
            String(text[text.index(after: colon)...]).trimmingCharacters(in: .whitespaces)
        )
    }
}
