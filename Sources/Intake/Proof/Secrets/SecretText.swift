// SPDX-License-Identifier: Apache-2.0
// Reads a secret that the sender has made, as somebody copies it from a page into a file.

package import Model

package struct SecretText: Sendable {
    package let text: Secret<String>
    /// What an operator should know of it. The secret is taken all the same: some senders make no better ones.
    package let warning: Warning?

    package enum Warning: String, Sendable, CustomStringConvertible {
        case short

        package var description: String {
            "the secret has fewer than \(SecretText.minimumLength) characters; let the sender make a longer one"
        }
    }

    /// A shorter one may be guessed.
    package static let minimumLength = 16
    private static let maximumBytes = 4096

    /// Reads the bytes of a file or of standard input, without the blanks and line ends around them.
    ///
    /// Proofs by Standard Webhooks need `whsec_` and base64 of at least 16 bytes, or `whpk_` and a public key, or what
    /// Supabase makes of them. Other proofs take the text as it is, and no public key.
    package init(_ bytes: [UInt8], for configuration: ProofConfiguration) throws(InvalidValue) {
        let trimmed = bytes.drop(while: Self.isBlank).reversed().drop(while: Self.isBlank).reversed()
        guard !trimmed.isEmpty else { throw InvalidValue("secret", "must not be empty") }
        guard trimmed.count <= Self.maximumBytes, let text = String(validating: trimmed, as: UTF8.self),
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw InvalidValue("secret", "must be one line of text, \(Self.maximumBytes) bytes at most")
        }
        guard configuration.needsSecret else {
            throw InvalidValue("secret", "is of no use: this source's proof takes published keys")
        }
        try configuration.requireUse(of: text)
        self.text = Secret(text)
        self.warning = configuration.takesText && text.count < Self.minimumLength ? .short : nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
    }
}
