// SPDX-License-Identifier: Apache-2.0
// What one part of a mapping has picked of a request, for the operator who checks a source.

/// Holds at most 255 bytes of a value, and none of a place that the configuration names as secret.
package struct TraceStep: Sendable, Equatable {
    package enum Picked: Sendable, Equatable {
        case value(String)
        case nothing
        /// There is a value, and it is not shown.
        case secret
        case unusable(Unusable)
    }

    /// The configuration's key, such as "user_id"; for "rule" the value is the rule's place.
    package let part: String
    /// The number of the event in its request.
    package let event: Int
    /// A JSON Pointer from the body's root, or "header x-name". Nil for a value that stands nowhere.
    package let place: String?
    package let picked: Picked

    static func shown(_ value: String) -> Picked {
        guard value.utf8.count > 255 else { return .value(value) }
        return .value(Shortened.prefix(of: value, bytes: 252) + "…")
    }
}

enum Shortened {
    /// Returns the first characters of a text that take at most so many bytes.
    static func prefix(of text: String, bytes: Int) -> String {
        var end = text.startIndex
        var count = 0
        for index in text.unicodeScalars.indices {
            count += text.unicodeScalars[index].utf8.count
            if count > bytes { break }
            end = text.unicodeScalars.index(after: index)
        }
        return String(text[..<end])
    }
}
