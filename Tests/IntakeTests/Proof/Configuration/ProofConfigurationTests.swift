// SPDX-License-Identifier: Apache-2.0
// A proof's configuration is read strictly: what is mistyped, makes no sense or would let everybody pass is refused.

import Model
import Testing

@testable import Intake

@Suite struct ProofConfigurationTests {
    private func read(_ text: String) throws -> ProofConfiguration {
        try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
    }

    private func error(_ text: String) -> InvalidValue? { #expect(throws: InvalidValue.self) { try self.read(text) } }

    @Test func `every kind is read`() throws {
        for kind in SigningKind.all { #expect(throws: Never.self) { try self.read(kind.configuration) } }
        #expect(try self.read(#"{"kind": "standard-webhooks"}"#) == .standard)
        #expect(try self.read(#"{"any": [{"kind": "standard-webhooks"}]}"#) == .standard)
        #expect(try self.read(#"{"kind": "standard-webhooks", "tolerance": 60}"#) != .standard)
        #expect(try self.read(#"{"kind": "standard-webhooks", "tolerance": null}"#) == .standard)
    }

    @Test(arguments: [
        (#"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "headr": "x"}"#, "proof.headr", "header"),
        (#"{"kind": "hmac", "hash": "sha256", "encodng": "hex", "header": "x"}"#, "proof.encodng", "encoding"),
        (#"{"kind": "standard-webhooks", "tollerance": 1}"#, "proof.tollerance", "tolerance"),
        (#"{"kind": "basic", "usr": "x"}"#, "proof.usr", "user"),
        (#"{"kind": "jwt", "audiance": "x"}"#, "proof.audiance", "audience"),
        (#"{"any": [{"kind": "bearer"}, {"kind": "basic", "usre": "x"}]}"#, "proof.any[1].usre", "user"),
        (#"{"any": [{"kind": "bearer"}], "alll": []}"#, "proof.alll", "any"),
        (
            #"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x", "key": "v1","#
                + #" "timestamp": {"keys": "t"}}"#, "proof.timestamp.keys", "key"
        ),
    ])
    func `a key that is not known is named with the nearest one`(text: String, field: String, nearest: String) {
        let error = self.error(text)
        #expect(error?.field == field)
        #expect(error?.reason.contains("did you mean \(nearest)?") == true, "\(error?.reason ?? "")")
    }

    @Test func `a key that is no known one mistyped may be a secret in the wrong place, and is not shown`() {
        let secret = "whsec_" + String(repeating: "a", count: 40)
        for key in [
            secret, "a b", "é", "hunter", "kind1", "Kind", "ki-nd", "kindkind", "correct_horse_battery",
            "kkkkkkkkkkkkkkkkkkkkkkkkkk",
        ] {
            let error = self.error(#"{"kind": "bearer", "\#(key)": 1}"#)
            #expect(error?.field == "proof")
            #expect(error?.reason == "has a key that is none here; there are: kind", "\(key)")
        }
        let noted = self.error(#"{"kind": "bearer", "kin_ds": 1}"#)
        #expect(noted?.field == "proof.kin_ds")
    }

    @Test(arguments: [
        "null", "[]", "\"bearer\"", "{}", #"{"kind": null}"#, #"{"kind": "none"}"#, #"{"kind": "noop"}"#,
        #"{"kind": "Bearer"}"#, #"{"kind": ["bearer"]}"#, #"{"any": []}"#, #"{"any": {}}"#, #"{"any": [[]]}"#,
        #"{"any": [{"any": [{"kind": "bearer"}]}]}"#, #"{"kind": "basic"}"#, #"{"kind": "basic", "user": "a:b"}"#,
        #"{"kind": "basic", "user": ""}"#, #"{"kind": "header"}"#, #"{"kind": "header", "header": "x y"}"#,
        #"{"kind": "header", "header": ""}"#, #"{"kind": "header", "header": ["x"]}"#,
        #"{"kind": "header", "header": "x:"}"#, #"{"kind": "standard-webhooks", "tolerance": "300"}"#,
        #"{"kind": "standard-webhooks", "tolerance": 0}"#, #"{"kind": "standard-webhooks", "tolerance": -1}"#,
        #"{"kind": "standard-webhooks", "tolerance": 1e3}"#, #"{"kind": "standard-webhooks", "tolerance": 86401}"#,
    ])
    func `what is no proof is refused`(text: String) { _ = self.error(text) }

    @Test func `nine proofs are refused`() throws {
        let proofs = { (count: Int) in
            let proofs = (1...count).map { #"{"kind": "header", "header": "x-\#($0)"}"# }
            return #"{"any": [\#(proofs.joined(separator: ","))]}"#
        }
        #expect(throws: Never.self) { try self.read(proofs(8)) }
        #expect(throws: InvalidValue.self) { try self.read(proofs(9)) }
    }

    @Test func `two equal proofs are refused`() throws {
        for kind in SigningKind.all {
            let other = #"{"kind": "header", "header": "x-other"}"#
            let error = self.error(#"{"any": [\#(kind.configuration), \#(other), \#(kind.configuration)]}"#)
            #expect(error?.field == "proof.any" && error?.reason == "must hold different proofs", "\(kind.name)")
        }
        _ = self.error(#"{"any": [{"kind": "bearer"}, {"kind": "bearer"}]}"#)
        // The default is written out in one of them.
        _ = self.error(#"{"any": [{"kind": "standard-webhooks"}, {"tolerance": 300, "kind": "standard-webhooks"}]}"#)
    }

    @Test(arguments: [
        ("\"hash\": \"sha1\"", "proof.hash"), ("\"hash\": null", "proof.hash"),
        ("\"encoding\": \"utf8\"", "proof.encoding"),
        ("\"encoding\": 1", "proof.encoding"), ("\"header\": []", "proof.header"),
        ("\"header\": [\"a\", \"a\"]", "proof.header"), ("\"header\": [\"a\", 1]", "proof.header"),
        ("\"header\": [\"a\", \"b\", \"c\", \"d\", \"e\"]", "proof.header"), ("\"prefix\": \"v0=\"", "proof.prefix"),
        ("\"key\": \"\"", "proof.key"), ("\"key\": null", "proof.timestamp"), ("\"timestamp\": null", "proof.content"),
        ("\"timestamp\": \"t\"", "proof.timestamp"), ("\"timestamp\": {}", "proof.timestamp"),
        (#""timestamp": {"key": "t", "header": "x", "unit": "s", "tolerance": 300}"#, "proof.timestamp"),
        (#""timestamp": {"key": "t", "unit": "s"}"#, "proof.timestamp.tolerance"),
        (#""timestamp": {"key": "t", "tolerance": 300}"#, "proof.timestamp.unit"),
        (#""timestamp": {"key": "t", "unit": "us", "tolerance": 300}"#, "proof.timestamp.unit"),
        (#""timestamp": {"key": "t", "unit": "s", "tolerance": 300, "ahead": "all"}"#, "proof.timestamp.ahead"),
        (#""timestamp": {"key": "t", "unit": "s", "tolerance": 300, "ahead": -1}"#, "proof.timestamp.ahead"),
        ("\"id\": \"x-id\"", "proof.content"), ("\"id\": \"x id\"", "proof.id"), ("\"content\": null", "proof.content"),
        ("\"content\": \"{body}\"", "proof.content"), ("\"content\": \"{timestamp}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{body}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{id}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{url}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{header:}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{header:x y}\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}{\"", "proof.content"),
        ("\"content\": \"{timestamp}{body}}\"", "proof.content"),
        ("\"content\": \"{timestamp}{{body}\"", "proof.content"), ("\"content\": 1", "proof.content"),
    ])
    func `an HMAC proof without sense is refused at its place`(change: String, field: String) throws {
        let good = [
            #""kind": "hmac""#, #""hash": "sha256""#, #""encoding": "hex""#, #""header": "x-signature""#,
            #""key": "v1""#, #""timestamp": {"key": "t", "unit": "s", "tolerance": 300}"#,
            #""content": "{timestamp}.{body}""#,
        ]
        #expect(throws: Never.self) { try self.read("{\(good.joined(separator: ","))}") }
        let name = change.prefix { $0 != ":" }
        let changed = good.filter { !$0.hasPrefix(name) } + [change]
        #expect(self.error("{\(changed.joined(separator: ","))}")?.field == field)
    }

    @Test func `where keys are fetched and whether a secret is needed is told`() throws {
        let published = try self.read(
            """
            {"kind": "jwt", "body": "whole", "algorithms": ["RS256"], "jwks": "https://a.example/k", "issuer": "i",
             "require": ["x"]}
            """)
        #expect(published.keyAddresses.map(\.text) == ["https://a.example/k"] && !published.needsSecret)
        let shared = try self.read(
            #"{"kind": "jwt", "body": "whole", "algorithms": ["HS256"], "require": "event_id"}"#)
        #expect(shared.keyAddresses.isEmpty && shared.needsSecret)
    }
}
