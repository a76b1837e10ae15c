// SPDX-License-Identifier: Apache-2.0
// A key set is read strictly and bounded. What cannot be used is passed over, and what is secret is never taken.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct KeySetTests {
    private func set(_ keys: String) throws -> KeySet { try KeySet(Array(#"{"keys": [\#(keys)]}"#.utf8)) }

    private static let x = TestToken.text(TestToken.key.publicKey.rawRepresentation.prefix(32))
    private static let y = TestToken.text(TestToken.key.publicKey.rawRepresentation.suffix(32))

    private static func elliptic(_ more: String, x: String = x, y: String = y, curve: String = "P-256") -> String {
        #"{"kty": "EC", "crv": "\#(curve)", "x": "\#(x)", "y": "\#(y)"\#(more)}"#
    }

    private static func rsa(_ modulus: Int, _ exponent: String = "AQAB", _ more: String = "") -> String {
        let number = TestToken.text([UInt8](repeating: 0xFB, count: modulus))
        return #"{"kty": "RSA", "n": "\#(number)", "e": "\#(exponent)"\#(more)}"#
    }

    @Test func `the keys of a set are found by name and algorithm`() throws {
        let set = try KeySet(Array(TokenVectors.keySet.utf8))
        #expect(set.count == 4)
        #expect(set.keys(named: "rsa", for: .rs256).count == 1)
        #expect(set.keys(named: "rsa", for: .ps512).count == 1)
        #expect(set.keys(named: "rsa", for: .es256).isEmpty)
        #expect(set.keys(named: "ec256", for: .es256).count == 1)
        #expect(set.keys(named: "ec256", for: .es384).isEmpty)
        #expect(set.keys(named: "ed", for: .edDSA).count == 1)
        #expect(set.keys(named: "RSA", for: .rs256).isEmpty)
        #expect(set.keys(named: "", for: .rs256).isEmpty)
        // A token without a name gets the keys that fit.
        #expect(set.keys(named: nil, for: .es384).count == 1)
        for algorithm in [TokenAlgorithm.hs256, .hs384, .hs512] {
            #expect(set.keys(named: nil, for: algorithm).isEmpty)
        }
    }

    @Test func `a key for one algorithm serves no other`() throws {
        let set = try self.set(Self.rsa(256, "AQAB", #", "alg": "RS256", "kid": "k""#))
        #expect(set.keys(named: "k", for: .rs256).count == 1)
        for algorithm in [TokenAlgorithm.rs384, .rs512, .ps256] {
            #expect(set.keys(named: "k", for: algorithm).isEmpty)
        }
    }

    /// Each stands beside a good key, which is read all the same.
    @Test func `a key that cannot be used is passed over`() throws {
        for key in [
            "{}", "null", "1", "[]", #"{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}"#, #"{"kty": "EC", "crv": "P-256"}"#,
            Self.elliptic(#", "use": "enc""#), Self.elliptic(#", "use": 1"#), Self.elliptic(#", "key_ops": ["sign"]"#),
            Self.elliptic(#", "key_ops": "verify""#), Self.elliptic(#", "alg": "RS256""#),
            Self.elliptic(#", "alg": 1"#),
            Self.elliptic(#", "alg": "ECDH-ES""#), Self.elliptic("", curve: "P-521"), Self.elliptic("", curve: "P-384"),
            Self.elliptic("", x: Self.y), Self.elliptic("", x: "AA"), Self.elliptic("", x: Self.x + "AAAA"),
            Self.elliptic("", x: Self.x + "="), Self.elliptic("", y: ""), Self.rsa(128), Self.rsa(255), Self.rsa(1026),
            Self.rsa(2048), Self.rsa(256, ""), Self.rsa(256, "AA"), Self.rsa(256, "AQ"), Self.rsa(256, "Ag"),
            Self.rsa(256, "AQABAQAB"), Self.rsa(256, "AQAB", #", "use": "enc""#),
            #"{"kty": "OKP", "crv": "X25519", "x": "\#(Self.x)"}"#, #"{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}"#,
            #"{"kty": "OKP", "crv": "Ed25519"}"#, #"{"kty": "AKP"}"#,
        ] {
            let set = try self.set("\(key), \(Self.elliptic(#", "kid": "good""#))")
            #expect(set.count == 1 && set.keys(named: "good", for: .es256).count == 1, "\(key.prefix(90))")
            #expect(try self.set(key).count == 0, "\(key.prefix(90))")
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"keys": {}}"#, #"{"keys": [], "keys": []}"#, "<html>",
        "{\"keys\":",
        #"{"keys": null}"#, "\u{FEFF}{}", #"{"KEYS": []}"#,
    ])
    func `what is no key set is refused`(document: String) {
        #expect(throws: InvalidValue.self) { try KeySet(Array(document.utf8)) }
    }

    @Test func `a sender may publish no key`() throws {
        #expect(try self.set("").count == 0)
        #expect(try self.set("").keys(named: nil, for: .es256).isEmpty)
    }

    @Test func `a set is bounded in keys and bytes`() throws {
        let key = #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.x)"}"#
        #expect(try self.set(Array(repeating: key, count: 64).joined(separator: ",")).count == 64)
        #expect(throws: InvalidValue.self) { try self.set(Array(repeating: key, count: 65).joined(separator: ",")) }
        let filler = String(repeating: " ", count: KeySet.maximumBytes)
        #expect(throws: InvalidValue.self) { try self.set(key + filler) }
    }
}
