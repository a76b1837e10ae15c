// SPDX-License-Identifier: Apache-2.0
// Writes a JSON value as text, with its members in their order and its numbers as they were.

extension JSONValue {
    /// The value on one line.
    package var text: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let digits): digits
        case .string(let text): JSONText.quoted(text)
        case .array(let elements): "[\(elements.map(\.text).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(JSONText.quoted($0.key)):\($0.value.text)" }.joined(separator: ","))}"
        }
    }
}
