// SPDX-License-Identifier: Apache-2.0
// A refusal names the header of Standard Webhooks as the sender called it.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct StandardHeadersTests {
    private static let secret = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"
    private static let now: TimeInterval = 1_700_000_000

    private static func reason(_ headers: [String: [String]]) async throws -> String? {
        let bed = try await ProofBed(#"{"kind": "standard-webhooks"}"#, secret: Self.secret)
        do {
            _ = try bed.verify(headers, body: [], now: Self.now)
            return nil
        } catch { return error.reason }
    }

    private static func headers(_ prefix: String) throws -> [String: [String]] {
        var draft = DeliveryDraft(id: "msg_1", headers: [], body: [])
        draft.headerPrefix = prefix
        let signed = try DeliverySigner(.standard, secret: Secret(Self.secret))
            .sign(draft, at: Date(timeIntervalSince1970: Self.now))
        return Dictionary(grouping: signed.headers, by: \.name).mapValues { $0.map(\.value) }
    }

    /// Each way in which one header can be wrong.
    private static let faults: [(header: String, values: [String])] = [
        ("id", []), ("id", [""]), ("id", ["a", "b"]), ("id", ["a b"]),
        ("timestamp", []), ("timestamp", [" "]), ("timestamp", ["1", "2"]), ("timestamp", ["soon"]),
        ("timestamp", ["1"]), ("timestamp", ["1800000000"]),
        ("signature", []), ("signature", [""]), ("signature", ["v1,a", "v1,b"]), ("signature", ["v2,AAAA"]),
        ("signature", ["v1,\(Data(repeating: 0, count: 32).base64EncodedString())"]),
    ]

    @Test(arguments: ["webhook", "svix"])
    func `what is wrong is named as the sender called it`(prefix: String) async throws {
        #expect(try await Self.reason(try Self.headers(prefix)) == nil)
        for fault in Self.faults {
            var headers = try Self.headers(prefix)
            headers["\(prefix)-\(fault.header)"] = fault.values
            let reason = try #require(try await Self.reason(headers), "\(fault)")
            #expect(reason.hasPrefix("\(prefix)-\(fault.header)"), "\(fault): \(reason)")
        }
    }

    @Test func `what is missing has its standard name, unless all the others have older ones`() async throws {
        #expect(try await Self.reason([:]) == "webhook-id is missing")
        #expect(try await Self.reason(["svix-signature": ["v1,a"]]) == "svix-id is missing")
        let mixed = ["svix-id": ["a"], "webhook-timestamp": ["1"]]
        #expect(try await Self.reason(mixed) == "webhook-signature is missing")
    }

    @Test func `the standard's headers come first`() async throws {
        let standard = try Self.headers("webhook")
        let older = try Self.headers("svix").mapValues { _ in ["another"] }
        #expect(try await Self.reason(standard.merging(older) { $1 }) == nil)
        let forged = standard.mapValues { _ in ["another"] }.merging(try Self.headers("svix")) { $1 }
        #expect(try await Self.reason(forged)?.hasPrefix("webhook-") == true)
    }
}
