// SPDX-License-Identifier: Apache-2.0
// Says what the connection string asks of TLS, and what to write when a server cannot give it.

extension PostgresConfiguration {
    /// What protects the way to the server, in words for an operator.
    package var tlsInWords: String {
        switch self.sslMode {
        case nil: "prefer on a Unix socket or a loopback address, else verify-full, as no sslmode is given"
        case "verify-full": "verify-full"
        case "verify-ca": "verify-ca: any server with a certificate of that authority is trusted"
        case "require" where self.hasRootCertificate: "require, which verifies the authority, as sslrootcert is given"
        case "require": "require: encrypted, but nothing proves who answers; verify-full does"
        case "disable": "disable: nothing is encrypted"
        default: "allow or prefer: encrypted only if the server offers it, and nothing proves who answers"
        }
    }

    /// Returns libpq's message, with what to write when TLS is the reason and the string leaves it open.
    func advised(_ message: String, at target: Target) -> String {
        let isAboutTLS = ["certificate", "does not support SSL"].contains { message.contains($0) }
        guard isAboutTLS, !self.isLocal(target) else { return message }
        let file = "write sslrootcert=FILE, the certificate of the authority that signed the server's"
        switch self.sslMode {
        case nil where self.hasRootCertificate: return message
        case nil:
            return """
                \(message); no sslmode is given, so the server must prove its name (verify-full): \(file), or \
                sslmode=require to encrypt without that proof
                """
        case "verify-full" where !self.hasRootCertificate, "verify-ca" where !self.hasRootCertificate:
            return "\(message); \(file)"
        default: return message
        }
    }
}
