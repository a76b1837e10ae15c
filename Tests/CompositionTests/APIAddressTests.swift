// SPDX-License-Identifier: Apache-2.0
// The key of the API goes to the service alone, and never in clear text over a network.

import Model
import Testing

@testable import Composition

@Suite struct APIAddressTests {
    private static func base(_ hook: String, named: String? = nil, publicURL: String? = nil) throws -> String {
        try APIAddress(hook: hook, named: named, publicURL: publicURL).base
    }

    @Test(arguments: [
        ("https://dialtone.example.com", "https://dialtone.example.com"),
        ("https://example.com/phones//", "https://example.com/phones"),
        ("https://example.com/a%20b", "https://example.com/a%20b"), ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"), ("HTTP://localhost:1", "HTTP://localhost:1"),
    ])
    func `the service's URL that is set gets the key, whoever has the hook`(named: String, base: String) throws {
        #expect(try Self.base("https://elsewhere.example/v1/hooks/hk_1", named: named) == base)
    }

    @Test(arguments: [
        "http://dialtone.example.com", "http://10.0.0.7:8080", "http://127.0.0.1@example.com", "dialtone.example.com",
        "https://user:word@example.com", "https://example.com/?a=b", "https://example.com/#a", "ftp://127.0.0.1/",
        "https://", "",
    ])
    func `a service's URL that would show the key is refused`(named: String) {
        let error = #expect(throws: InvalidValue.self) {
            try Self.base("http://127.0.0.1:8080/v1/hooks/hk_1", named: named)
        }
        #expect(error?.field == "DIALTONE_URL" && error?.reason.contains("word") == false)
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080/v1/hooks/hk_1", nil, "http://127.0.0.1:8080"),
        ("http://localhost:8080/phones/v1/hooks/hk_1?a=b#c", "https://example.com", "http://localhost:8080/phones"),
        ("http://user:word@[::1]:8080/v1/hooks/hk_1", nil, "http://[::1]:8080"),
        ("https://Example.com/v1/hooks/hk_1", "https://example.com:443/", "https://Example.com"),
        (
            "https://example.com:8443/a/v1/hooks/v1/hooks/hk_1", "https://example.com:8443/a",
            "https://example.com:8443/a/v1/hooks"
        ),
        ("https://example.com/other", "https://example.com", "https://example.com"),
    ])
    func `a hook of this machine or of the public URL shows where the API is`(
        hook: String, publicURL: String?, base: String
    ) throws {
        #expect(try Self.base(hook, publicURL: publicURL) == base)
    }

    @Test(arguments: [
        ("https://elsewhere.example/v1/hooks/hk_1", nil),
        ("https://elsewhere.example/v1/hooks/hk_1", "https://example.com"),
        ("https://example.com:8443/v1/hooks/hk_1", "https://example.com"),
        ("http://example.com/v1/hooks/hk_1", "https://example.com"),
        ("https://example.com.elsewhere.example/v1/hooks/hk_1", "https://example.com"),
        ("https://example.com@elsewhere.example/v1/hooks/hk_1", "https://example.com"),
        ("https://127.0.0.1.elsewhere.example/v1/hooks/hk_1", nil),
        ("http://example.com/v1/hooks/hk_1", "http://example.com"), ("x", nil),
    ])
    func `no other hook gets the key, and none in clear text`(hook: String, publicURL: String?) {
        #expect(throws: InvalidValue.self) { try Self.base(hook, publicURL: publicURL) }
    }
}
