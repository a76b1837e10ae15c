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
        // A host that two readers understand in two ways.
        "https://%6cocalhost/", "https://id%2eexample.com/", "https://id.example.com%00/", "https://127%2e0.0.1/",
        "https://%31%32%37.0.0.1/", "https://id.example.com%2f@evil.example/", "https://id.example.com%5cevil.example/",
        "https://id.example.com\\@evil.example/", "https://id.example.com\\.evil.example/", "https://[::1%251]/",
        "https://[2001:4860:4860::8888%25eth0]/", "https://id\"example.com/", "https://id|example.com/",
        "https://id.example.com:%38443/", "https://id.example.com;x/", "https://id,example.com/", "https://@/",
        "https://xn--%6c.example/",
    ])
    func `any other address is refused`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try JWKSAddress(text, at: "proof.jwks") }
        #expect(error?.field == "proof.jwks")
    }

    @Test(arguments: [
        ("https://Id.example.com/", "Id.example.com"), ("https://id.example.com:8443/keys", "id.example.com"),
        ("https://id.example.com?x=/y", "id.example.com"),
        ("https://[2001:4860:4860::8888]:1/", "2001:4860:4860::8888"),
    ])
    func `the host is the one that stands in the address`(text: String, host: String) throws {
        #expect(try JWKSAddress(text, at: "jwks").host == host)
    }

    /// A query may hold a key of the operator's.
    @Test func `an address is shown without its query`() throws {
        let address = try JWKSAddress("https://id.example.com/keys?token=hunter2&x=?", at: "jwks")
        #expect("\(address)" == "https://id.example.com/keys" && address.text.hasSuffix("?token=hunter2&x=?"))
    }

    @Test func `a very long address is refused`() {
        let long = "https://id.example.com/" + String(repeating: "a", count: 2048)
        #expect(throws: InvalidValue.self) { try JWKSAddress(long, at: "jwks") }
    }
}
