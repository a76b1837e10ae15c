// SPDX-License-Identifier: Apache-2.0
// A mapping numbers a delivery in another way than the one that took it: no word is settled for another, or lost.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct ReplayPlaceTests {
    /// The people of one list, in one organisation.
    private static let each = MappedIntakeTests.each
    /// The same of a plain source.
    private static let plain = Self.each.replacing(#""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#)
    /// Each element has its own organisation.
    private static let pairs = Self.each.replacing(#""user_id":".""#, with: #""user_id":"./id""#)
        .replacing(#""organization":"/org""#, with: #""organization":"./org""#)
    private static let ofUsers = #""each":"/users""#
    private static let changed = "today's mapping numbers the items of its delivery in another way"

    private static func body(_ lists: String) -> String { #"{"id":"d","type":"joined","org":"acme",\#(lists)}"# }

    private static func pair(_ id: String, _ organization: String) -> String {
        #"{"id":"\#(id)","org":"\#(organization)"}"#
    }

    // MARK: Words that a first take did not have

    @Test(arguments: [Self.each, Self.plain])
    func `a word that only a later mapping reads is replayed where that mapping has read it`(
        configuration: String
    ) async throws {
        try await Self.withWordsBeyond(configuration) { bed, items in
            let report = try await bed.run(items[2].eventID)
            #expect(report.outcome == .replayed)
            #expect(try await bed.users() == ["a live 1 1", "c live 1 1"])
            let rest = try await bed.runAll()
            #expect(rest.map(\.outcome) == [.replayed])
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1", "c live 1 1"])
            #expect(try await bed.quarantine() == ["mapping_changed replay", "mapping_changed replay"])
        }
    }

    @Test(arguments: [Self.each, Self.plain])
    func `a word that only a later mapping reads stays where a third one reads another at its place`(
        configuration: String
    ) async throws {
        try await Self.withWordsBeyond(configuration) { bed, items in
            try await bed.mend(Self.ofUsers, #""each":"/other""#)
            for item in [items[0], items[2]] {
                let report = try await bed.run(item.eventID)
                #expect(report.outcome == .stays && report.reason?.contains("may read another one") == true)
            }
            #expect(try await bed.users() == ["a live 1 1"])
        }
    }

    @Test func `a word that only a later mapping reads is replayed by a third one that reads the same person there`()
        async throws
    {
        try await Self.withWordsBeyond(Self.each) { bed, items in
            try await bed.mend(Self.ofUsers, #""each":"/same""#)
            #expect(try await bed.run(items[0].eventID).outcome == .replayed)
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
        }
    }

    /// The third mapping has the first word's person at the place of the last one.
    @Test func `a word that only a later mapping reads is not settled for the first one of its delivery`()
        async throws
    {
        try await Self.withWordsBeyond(Self.each) { bed, items in
            try await bed.mend(Self.ofUsers, #""each":"/swap""#)
            #expect(try await bed.run(items[2].eventID).outcome == .stays)
            #expect(try await bed.users() == ["a live 1 1"])
        }
    }

    @Test func `the last word that only a later mapping reads is replayed by a third one that numbers all alike`()
        async throws
    {
        try await Self.withWordsBeyond(Self.each) { bed, items in
            try await bed.mend(Self.ofUsers, #""each":"/alike""#)
            let report = try await bed.run(items[2].eventID)
            #expect(report.outcome == .replayed && report.then.picks?["user_id"] == "c")
            #expect(try await bed.users() == ["a live 1 1", "c live 1 1"])
        }
    }

    /// Lends the delivery [a] of which a second mapping reads [b, a, c], and its items then.
    private static func withWordsBeyond(
        _ configuration: String, _ work: (ReplayBed, [Receipt.Item]) async throws -> Void
    ) async throws {
        try await ReplayBed.with(configuration) { bed in
            if configuration == Self.each { try await bed.map("acme") }
            let lists = #""all":["b","a","c"],"alike":["b","a","c"],"same":["b","a"]"#
            let others = #""other":["c","b","a"],"swap":["c","a","b"]"#
            let body = Self.body(#""users":["a"],\#(lists),\#(others)"#)
            #expect(try await bed.bed.send(body).status == .accepted)
            try await bed.mend(Self.ofUsers, #""each":"/all""#)
            let again = try await bed.bed.send(body, at: MappedIntakeTests.noon + 60)
            #expect(again.items.map(\.status) == [.quarantined, .duplicate, .quarantined])
            try await work(bed, again.items)
        }
    }

    // MARK: Items of a list

    @Test func `an item stays where another mapping reads one more before it, though no user is known yet`()
        async throws
    {
        try await ReplayBed.with(Self.pairs) { bed in
            let (a, b, x) = (Self.pair("a", "o1"), Self.pair("b", "o2"), Self.pair("x", "o2"))
            let body = Self.body(#""users":[\#(a),\#(b)],"all":[\#(a),\#(x),\#(b)],"same":[\#(a),\#(b)]"#)
            let items = try await bed.bed.send(body).items
            #expect(items.map(\.status) == [.quarantined, .quarantined])
            try await bed.map("o2")
            try await bed.mend(Self.ofUsers, #""each":"/all""#)
            let report = try await bed.run(items[1].eventID)
            #expect(report.outcome == .stays && report.reason == Self.changed)
            #expect(try await bed.users().isEmpty)
            try await bed.mend(Self.ofUsers, #""each":"/same""#)
            #expect(try await bed.run(items[1].eventID).outcome == .replayed)
            #expect(try await bed.users() == ["b live 1 1"])
        }
    }

    @Test func `an item of an organisation that is ignored keeps its place without a row`() async throws {
        try await ReplayBed.with(Self.pairs) { bed in
            try await bed.map("o3", to: nil)
            let list = [Self.pair("a", "o1"), Self.pair("n", "o3"), Self.pair("b", "o2")].joined(separator: ",")
            let items = try await bed.bed.send(Self.body(#""users":[\#(list)],"same":[\#(list)]"#)).items
            #expect(items.map(\.status) == [.quarantined, .ignored, .quarantined])
            try await bed.map("o2")
            try await bed.mend(Self.ofUsers, #""each":"/same""#)
            #expect(try await bed.run(items[2].eventID).outcome == .replayed)
            #expect(try await bed.users() == ["b live 1 1"])
        }
    }

    @Test func `of a person in several organisations the organisation tells which word stands where`() async throws {
        try await ReplayBed.with(Self.pairs) { bed in
            try await bed.map("o1")
            let (one, two, three) = (Self.pair("u", "o1"), Self.pair("u", "o2"), Self.pair("u", "o3"))
            let body = Self.body(#""users":[\#(one),\#(two),\#(three)],"turned":[\#(three),\#(two),\#(one)]"#)
            let items = try await bed.bed.send(body).items
            #expect(items.map(\.status) == [.accepted, .quarantined, .quarantined])
            try await bed.map("o2")
            try await bed.mend(Self.ofUsers, #""each":"/turned""#)
            #expect(try await bed.run(items[1].eventID).reason == Self.changed)
        }
    }

    /// An invitation asks nothing of a plain source, and the ledger does not number it.
    @Test func `an invitation of a plain source has no place among the items`() async throws {
        let words = #"[{"each":"/asked","membership":"invited"},{"each":"/users","membership":"live"}]"#
        let configuration = Self.plain.replacing(#""user_id":".""#, with: #""user_id":"./id""#).replacing(
            #"{"on":"joined","each":"/users","membership":"live"}"#, with: #"{"on":"joined","words":\#(words)}"#)
        try await ReplayBed.with(configuration) { bed in
            let body = Self.body(#""asked":[{"id":"i","uid":"i"}],"users":[{"uid":"a"},{"uid":"b"}]"#)
            let items = try await bed.bed.send(body).items
            #expect(items.map(\.status) == [.quarantined, .quarantined])
            try await bed.mend(#""user_id":"./id""#, #""user_id":"./uid""#)
            #expect(try await bed.runAll().map(\.outcome) == [.replayed, .replayed])
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
        }
    }

    // MARK: Whole deliveries and requests

    @Test func `a second replay of a whole delivery stays where a third mapping numbers it in another way`()
        async throws
    {
        try await ReplayBed.with(Self.each) { bed in
            try await bed.map("acme")
            let body = Self.body(#""users":"none","two":[7.5,"b"],"three":["x","y","b"],"mended":["a","b"]"#)
            let receipt = try await bed.bed.send(body)
            #expect(receipt.items.map(\.status) == [.quarantined])
            try await bed.mend(Self.ofUsers, #""each":"/two""#)
            let first = try await bed.run(receipt.eventID)
            #expect(first.outcome == .stays && first.effect?.further == 1)
            #expect(try await bed.users() == ["b live 1 1"])
            try await bed.mend(Self.ofUsers, #""each":"/three""#)
            let second = try await bed.run(receipt.eventID)
            #expect(second.outcome == .stays && second.reason == Self.changed)
            #expect(try await bed.users() == ["b live 1 1"])
            try await bed.mend(Self.ofUsers, #""each":"/mended""#)
            #expect(try await bed.run(receipt.eventID).outcome == .replayed)
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
        }
    }

    @Test(arguments: [#""tenant":"table""#, #""tenant":{"allow":["acme"]}"#])
    func `a word of a whole request whose place is another's is kept for an operator`(tenant: String) async throws {
        let configuration = MappedIntakeTests.split.replacing(#""tenant":"table""#, with: tenant)
        try await ReplayBed.with(configuration) { bed in
            if tenant.contains("table") { try await bed.map("acme") }
            let words = ["a", "b"].enumerated().map { MappedIntakeTests.event($0.offset + 1, $0.element, org: "acme") }
            let receipt = try await bed.bed.send(#"{"items":[\#(words.joined(separator: ","))]}"#)
            _ = try await bed.send(MappedIntakeTests.event(2, "z", org: "acme"))
            try await bed.mend(#""split":"/events""#, #""split":"/items""#)
            let report = try await bed.run(receipt.eventID)
            #expect(report.outcome == .replayed && report.effect?.further == 1)
            #expect(try await bed.users() == ["a live 1 1", "z live 1 1"])
            let rest = try await bed.runAll(reason: "mapping_changed")
            #expect(rest.map(\.outcome) == [.replayed])
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1", "z live 1 1"])
        }
    }
}
