// SPDX-License-Identifier: Apache-2.0
// Keys are fetched by https alone, and from no address that lies inside.

import Model
import Testing

@testable import Intake

@Suite struct JWKSAddressTests {
    @Test(arguments: [
        "https://www.googleapis.com/robot/v1/metadata/jwk/securetoken@system.gserviceaccount.com",
        "https://business.kinde.com/.well-known/jwks", "HTTPS://id.example.com:8443/realms/acme/certs?x=1",
        "https://8.8.8.8/keys", "https://[2001:4860:4860::8888]/keys", "https://id.example.com.",
    ])
    func `an https address is taken as it is`(text: String) throws {
        #expect(try JWKSAddress(text, at: "jwks").text == text)
    }

    @Test(arguments: [
        "", "keys", "/keys", "https://", "https:///keys", "https:keys", "http://id.example.com/keys",
        "ftp://id.example.com", "file:///etc/passwd", "https://user@id.example.com/", "https://u:p@id.example.com/",
        "https://id.example.com/#x", "https://id.example.com/ x", "https://id.example.com/\n", "https://ïd.example/",
        "https://localhost/", "https://a.localhost/", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
        "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1%25eth0]/",
        "https://[]/",
        "https://1.2.3/", "https://1.2.3.4.5/", "https://./",
    ])
    func `any other address is refused`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try JWKSAddress(text, at: "proof.jwks") }
        #expect(error?.field == "proof.jwks")
    }

    @Test func `a very long address is refused`() {
        let long = "https://id.example.com/" + String(repeating: "a", count: 2048)
        #expect(throws: InvalidValue.self) { try JWKSAddress(long, at: "jwks") }
    }
}
