// SPDX-License-Identifier: Apache-2.0
// What a request costs its source's budget: all that is read of it, and its bytes.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TakenRequestTests {
    private static func charge(_ body: String) throws -> Int {
        TakenRequest(MappingBed.request(body, provenID: "d"), from: try MappedBed.source(), secret: nil).charge
    }

    @Test func `an event that is ignored costs one`() throws {
        #expect(try Self.charge(#"{"type":"other"}"#) == 1)
    }

    @Test(arguments: [(4096, 1), (4097, 2), (409_600, 100)])
    func `a long body costs one for each 4 KiB, whatever it says`(bytes: Int, charge: Int) throws {
        let text = #"{"type":"other"}"#
        let body = text + String(repeating: " ", count: bytes - text.utf8.count)
        #expect(try Self.charge(body) == charge)
    }

    @Test func `ignored items of a batch cost one each`() throws {
        let configuration = #"""
            {"grammar":1,"proofs":[{"kind":"bearer"}],"split":"/events","type":"/type","delivery_id":"/id",
             "user_id":"/user","organization":"/org","rules":[{"on":"joined","membership":"live"}]}
            """#
        let source = try MappedBed.source(configuration)
        let events = (0..<50).map { #"{"id":"\#($0)","type":"other"}"# }.joined(separator: ",")
        let taken = TakenRequest(
            MappingBed.request(#"{"events":[\#(events)]}"#), from: source, secret: nil)
        #expect(taken.itemCount == 0 && taken.charge == 50)
    }
}
