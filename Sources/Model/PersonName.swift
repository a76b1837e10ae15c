// SPDX-License-Identifier: Apache-2.0
// The name and the e-mail address by which people know a user. They are sealed, and kept only where a source says so.

/// What a support engineer calls a user. Both may be missing.
package struct PersonName: Sendable, Equatable {
    package var name: String?
    package var email: String?

    package init(name: String?, email: String?) {
        self.name = name
        self.email = email
    }

    /// An e-mail address as it is compared.
    package static func folded(_ email: String) -> String { email.lowercased() }

    /// The two lines that are sealed: the name and the address. A line's end in either becomes a blank.
    package var sealedText: String {
        [self.name, self.email].map { ($0 ?? "").replacing("\n", with: " ") }.joined(separator: "\n")
    }

    /// Reads what `sealedText` has written.
    package init(sealedText: String) {
        let lines = sealedText.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.name = lines.first.flatMap { $0.isEmpty ? nil : $0 }
        self.email = lines.dropFirst().first.flatMap { $0.isEmpty ? nil : $0 }
    }
}
