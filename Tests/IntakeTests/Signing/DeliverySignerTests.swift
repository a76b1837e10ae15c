// SPDX-License-Identifier: Apache-2.0
// What is signed in a sender's place proves that sender, for every proof that takes a shared secret.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct DeliverySignerTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)
    private static let body = Array(#"{"type":"user.created","data":{"user_id":"u-1"}}"#.utf8)
    /// Those that are signed by a private key, which we do not have.
    private static let isPrivate: @Sendable (SigningKind) -> Bool = { (kind: SigningKind) in
        kind.configuration.contains("jwks") || kind.secret.hasPrefix("whpk_")
    }
    private static let shared = SigningKind.all.filter { !isPrivate($0) }

    private static func proofs(_ configuration: String) throws -> ProofConfiguration {
        try ProofConfiguration(try JSONValue(parsing: Array(configuration.utf8)))
    }

    private static func draft(_ body: [UInt8] = body) -> DeliveryDraft {
        DeliveryDraft(id: "id-1", headers: [("X-Topic", "users")], body: body)
    }

    /// Returns why a delivery is refused; nil when it is proven.
    private static func refusal(
        of signed: SignedDelivery, _ configuration: String, _ secret: String
    ) async throws -> ProofFailure.Kind? {
        let headers = Dictionary(grouping: signed.headers) { $0.name.lowercased() }.mapValues { $0.map(\.value) }
        return try await ProofBed(configuration, secret: secret)
            .refusal(headers, body: signed.body, now: Self.now.timeIntervalSince1970)
    }

    @Test(arguments: shared)
    func `what is signed is proven`(kind: SigningKind) async throws {
        let signer = try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret))
        for body in [Self.body, [], (0...255).map { UInt8($0) }] {
            let signed = try signer.sign(Self.draft(body), at: Self.now)
            #expect(signed.body == body)
            #expect(try await Self.refusal(of: signed, kind.configuration, kind.secret) == nil)
        }
    }

    @Test(arguments: shared)
    func `what is signed with another secret is refused`(kind: SigningKind) async throws {
        let signer = try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret)).forging()
        let refusal = try await Self.refusal(
            of: try signer.sign(Self.draft(), at: Self.now), kind.configuration, kind.secret)
        #expect([ProofFailure.Kind.signature, .credential].contains(refusal))
    }

    @Test(arguments: shared)
    func `a time that is stale is refused as expired, and a sender without a time has none`(
        kind: SigningKind
    ) async throws {
        let signer = try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret))
        guard let time = signer.staleTime(at: Self.now) else {
            #expect(!kind.coversTime)
            return
        }
        #expect(kind.coversTime)
        let signed = try signer.sign(Self.draft(), at: time)
        #expect(try await Self.refusal(of: signed, kind.configuration, kind.secret) == .expired)
    }

    @Test(arguments: SigningKind.all.filter(isPrivate))
    func `what needs the sender's private key says so`(kind: SigningKind) throws {
        let error = #expect(throws: InvalidValue.self) {
            try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret))
        }
        #expect(error?.reason.contains("private key") == true)
    }

    @Test(arguments: [("whole", ""), ("/data/jwt", "data")])
    func `a token in the body holds the body's members`(place: String, member: String) async throws {
        let configuration = """
            {"kind": "jwt", "body": "\(place)", "algorithms": ["HS512"], "audience": "dialtone", "require": ["events"],
             "equal": {"env": "live"}}
            """
        let signer = try DeliverySigner(try Self.proofs(configuration), secret: Secret(SigningKind.right))
        let signed = try signer.sign(Self.draft(Array(#"{"sub":"u-1"}"#.utf8)), at: Self.now)
        #expect(try await Self.refusal(of: signed, configuration, SigningKind.right) == nil)
        let proven = try await ProofBed(configuration, secret: SigningKind.right)
            .verify([:], body: signed.body, now: Self.now.timeIntervalSince1970)
        #expect(try JSONValue(parsing: try #require(proven.claims))["sub"] == .string("u-1"))
        if !member.isEmpty { #expect(try JSONValue(parsing: signed.body)[member] != nil) }
        #expect(throws: InvalidValue.self) { try signer.sign(Self.draft(Array("[]".utf8)), at: Self.now) }
    }

    @Test func `of several proofs the first that the secret fits is signed for`() async throws {
        let configuration = """
            {"any": [{"kind": "standard-webhooks"}, {"kind": "hmac", "hash": "sha256", "encoding": "hex",
             "header": "x-signature", "prefix": "sha256="}]}
            """
        let proofs = try Self.proofs(configuration)
        for (secret, header) in [
            (SigningKind.right, "x-signature"), ("whsec_\(Data(Self.body).base64EncodedString())", "webhook-signature"),
        ] {
            let signed = try DeliverySigner(proofs, secret: Secret(secret)).sign(Self.draft(), at: Self.now)
            #expect(signed.headers.contains { $0.name == header })
            #expect(try await Self.refusal(of: signed, configuration, secret) == nil)
        }
    }

    @Test(arguments: shared)
    func `a delivery shows the secret exactly where a header holds it`(kind: SigningKind) throws {
        let signer = try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret))
        let isHeader = ["header", "bearer", "basic"].contains { kind.configuration.contains(#""kind": "\#($0)""#) }
        #expect(signer.showsSecret == isHeader)
    }

    @Test(arguments: ["webhook", "svix"])
    func `a sender's own names of the standard's headers are proven`(prefix: String) async throws {
        let configuration = #"{"kind": "standard-webhooks"}"#
        let secret = "whsec_\(Data(Self.body).base64EncodedString())"
        var draft = Self.draft()
        draft.headerPrefix = prefix
        let signed = try DeliverySigner(try Self.proofs(configuration), secret: Secret(secret))
            .sign(draft, at: Self.now)
        #expect(
            signed.headers.map(\.name) == ["X-Topic", "\(prefix)-id", "\(prefix)-timestamp", "\(prefix)-signature"])
        #expect(try await Self.refusal(of: signed, configuration, secret) == nil)
    }

    @Test func `a header that is signed must be given`() throws {
        let kind = try #require(SigningKind.all.first { $0.configuration.contains("x-topic") })
        let signer = try DeliverySigner(try Self.proofs(kind.configuration), secret: Secret(kind.secret))
        let error = #expect(throws: InvalidValue.self) {
            try signer.sign(DeliveryDraft(id: "id-1", headers: [], body: Self.body), at: Self.now)
        }
        #expect(error?.field == "the header x-topic")
    }
}
