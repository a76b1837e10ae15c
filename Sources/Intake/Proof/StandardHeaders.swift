// SPDX-License-Identifier: Apache-2.0
// Reads the three headers of Standard Webhooks under the names that the sender uses.

/// Each header has its standard name, or the older `svix-` one where the standard one is absent. The names of both
/// families may stand side by side: all three values are signed, whatever their headers are called.
struct StandardHeaders {
    /// A header as the sender called it, so that a refusal can name it.
    struct Field {
        let name: String
        let value: String
    }

    let id: Field
    let timestamp: Field
    let signature: Field

    /// Both names of one header.
    private struct Names {
        let standard: String
        let older: String

        static let id = Names(standard: "webhook-id", older: "svix-id")
        static let timestamp = Names(standard: "webhook-timestamp", older: "svix-timestamp")
        static let signature = Names(standard: "webhook-signature", older: "svix-signature")
        static let all = [Names.id, .timestamp, .signature]
    }

    init(_ header: Headers) throws(ProofFailure) {
        self.id = try Self.field(.id, header)
        self.timestamp = try Self.field(.timestamp, header)
        self.signature = try Self.field(.signature, header)
    }

    private static func field(_ names: Names, _ header: Headers) throws(ProofFailure) -> Field {
        var (name, values) = (names.standard, header(names.standard))
        if values.isEmpty { (name, values) = (names.older, header(names.older)) }
        guard !values.isEmpty else { throw ProofFailure(.missing, "\(Self.missed(names, header)) is missing") }
        return Field(name: name, value: try HeaderValue.single(values, of: name))
    }

    /// Returns the name that a sender would have used: the older one where all its other headers have older names.
    private static func missed(_ names: Names, _ header: Headers) -> String {
        let isOlder =
            Names.all.contains { !header($0.older).isEmpty } && Names.all.allSatisfy { header($0.standard).isEmpty }
        return isOlder ? names.older : names.standard
    }
}
