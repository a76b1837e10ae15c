// SPDX-License-Identifier: Apache-2.0
// The provider's own words about a refusal, read from any of its error bodies.

import Foundation
import Model

/// The code and the text of a refusal, without control and invisible characters: at most 40 characters of code and 300
/// of text. Logs and an operator's terminal show them.
package struct ProviderWords: Sendable, Equatable {
    package var code: String?
    package var text: String?

    package init(code: String? = nil, text: String? = nil) {
        self.code = code
        self.text = text
    }
}

extension ProviderWords {
    /// Whether a refusal seems to say that a tag is full. The vendor has not published these words.
    package var soundLikeFullTag: Bool {
        let words = (self.text ?? "").lowercased()
        return words.contains("tag")
            && ["maximum", "limit", "full", "exceed", "1000", "too many", "at most"].contains { words.contains($0) }
    }

    /// Reads an error body. It may hold an array of errors, an object of messages, nothing, or no JSON at all.
    init(body: Data) {
        self.init()
        guard let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any] else { return }
        if let first = (object["errors"] as? [[String: Any]])?.first {
            let code = first["code"] as? String ?? (first["code"] as? Int).map { "\($0)" }
            self.code = code.map { Self.clean($0, limit: 40) }
            let parts = [first["title"], first["detail"]].compactMap { $0 as? String }
            self.text = parts.isEmpty ? nil : Self.clean(parts.joined(separator: ": "), limit: 300)
        } else if let errors = object["errors"] as? [String: Any] {
            let parts = errors.sorted { $0.key < $1.key }.compactMap { key, value in
                (value as? String).map { "\(key) \($0)" }
            }
            self.text = parts.isEmpty ? nil : Self.clean(parts.joined(separator: "; "), limit: 300)
        }
    }

    private static func clean(_ text: String, limit: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter(VisibleText.isVisible).prefix(limit)))
    }
}
