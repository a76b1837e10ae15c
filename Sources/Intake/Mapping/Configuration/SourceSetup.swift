// SPDX-License-Identifier: Apache-2.0
// Who makes the secret of a source, and where it goes at the sender: words for the operator who sets it up.

import Model

struct SourceSetup: Sendable, Equatable {
    enum Maker: String, CaseIterable, Sendable {
        case dialtone
        /// The sender makes it, and shows it once it knows the hook's URL.
        case sender
    }

    let maker: Maker
    let text: String

    private static let maximumBytes = 255

    /// Nil where the configuration does not say it.
    init?(_ section: Section) throws(InvalidValue) {
        guard let json = section["setup"] else { return nil }
        let setup = try Section(json, at: section.place(of: "setup"), keys: ["secret", "text"])
        guard let maker = try setup.choice("secret", of: Maker.self) else { throw setup.missing("secret") }
        guard let text = try setup.text("text") else { throw setup.missing("text") }
        guard text.utf8.count <= Self.maximumBytes, VisibleText.isVisible(text) else {
            throw InvalidValue(setup.place(of: "text"), "must be one line of at most \(Self.maximumBytes) bytes")
        }
        self.maker = maker
        self.text = text
    }
}
