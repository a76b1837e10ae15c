// SPDX-License-Identifier: Apache-2.0
// A header that an argument gives, as `name: value`.

import Foundation
import Model

enum HeaderArgument {
    static func read(_ text: String) throws -> (name: String, value: String) {
        guard let colon = text.firstIndex(of: ":") else { throw InvalidValue("--header", "must be 'name: value'") }
        return (
            String(text[..<colon]).trimmingCharacters(in: .whitespaces),
            String(text[text.index(after: colon)...]).trimmingCharacters(in: .whitespaces)
        )
    }
}
