// SPDX-License-Identifier: Apache-2.0
// Fills the blanks of a sample event: who, where and when.

package import Foundation
import Model

/// The blanks are `{user}`, `{organization}`, `{id}`, `{uuid}`, `{time}`, `{seconds}` and `{milliseconds}`. A text that
/// is `{seconds}` or `{milliseconds}` and nothing else becomes a number. Any other brace stays as it is.
package struct SampleFilling: Sendable {
    private let user: String
    private let organization: String
    private let now: Date
    private let uuid: @Sendable () -> String
    var id = ""

    /// `uuid` returns another random UUID each time.
    package init(user: String, organization: String, now: Date, uuid: @escaping @Sendable () -> String) {
        self.user = user
        self.organization = organization
        self.now = now
        self.uuid = uuid
    }

    func value(_ template: JSONValue) -> JSONValue {
        switch template {
        case .string("{seconds}"), .string("{milliseconds}"): .number(self.text(template.string ?? ""))
        case .string(let text): .string(self.text(text))
        case .array(let elements): .array(elements.map(self.value))
        case .object(let members): .object(members.map { (key: $0.key, value: self.value($0.value)) })
        case .null, .bool, .number: template
        }
    }

    /// Fills a text from left to right. What was filled in is not read again.
    func text(_ template: String) -> String {
        var text = ""
        var rest = template[...]
        while let opening = rest.firstIndex(of: "{") {
            text += rest[..<opening]
            rest = rest[opening...]
            guard let closing = rest.firstIndex(of: "}"), let value = self.blank(rest[...closing]) else {
                text += "{"
                rest = rest.dropFirst()
                continue
            }
            text += value
            rest = rest[rest.index(after: closing)...]
        }
        return text + rest
    }

    private func blank(_ name: Substring) -> String? {
        let seconds = self.now.timeIntervalSince1970
        return switch name {
        case "{user}": self.user
        case "{organization}": self.organization
        case "{id}": self.id
        case "{uuid}": self.uuid()
        case "{time}": RFC3339.text(self.now)
        case "{seconds}": "\(Int64(seconds.rounded(.down)))"
        case "{milliseconds}": "\(Int64((seconds * 1000).rounded(.down)))"
        default: nil
        }
    }
}
