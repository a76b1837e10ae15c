// SPDX-License-Identifier: Apache-2.0
// A certificate for one test, made when the test begins, so that no key stands in the repository.

import Foundation
import NIOSSL
import TestSupport
import Testing

struct TestCertificate: Sendable {
    let certificate: NIOSSLCertificate
    /// For a server that shows the certificate.
    let server: NIOSSLContext

    /// Makes a certificate that signs itself. `name` is the host's name.
    init(for name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, key) = (folder.appendingPathComponent("crt").path, folder.appendingPathComponent("key").path)
        let command = Command(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", key, "-out", file,
            ])
        try #require(try command.start().waitUntilExit() == 0, "openssl has made no certificate")
        let chain = try NIOSSLCertificate.fromPEMFile(file)
        self.certificate = try #require(chain.first)
        let privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        self.server = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey)))
    }

    /// For a client that trusts this certificate and no other.
    var trust: NIOSSLTrustRoots { .certificates([self.certificate]) }
}
