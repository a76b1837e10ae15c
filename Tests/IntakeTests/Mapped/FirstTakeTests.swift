// SPDX-License-Identifier: Apache-2.0
// A delivery that comes again after its source's mapping was changed adds nothing to its first take.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

extension MappedIntakeTests {
    /// Reads the people of one list of the body. A later mapping reads another list.
    private static func reading(_ list: String, tenant: String) -> String {
        Self.each.replacing(#""each":"/users""#, with: #""each":"/\#(list)""#)
            .replacing(#""tenant":"table""#, with: #""tenant":\#(tenant)"#)
    }

    private static func body(_ lists: String, org: String) -> String {
        #"{"id":"d","type":"joined","org":"\#(org)",\#(lists)}"#
    }

    /// Of a tracked source and of a plain one.
    private static let kinds = [(tenant: #""table""#, org: "o"), (tenant: #"{"allow":["acme"]}"#, org: "acme")]

    @Test(arguments: Self.kinds)
    func `what only a later mapping reads of a delivery is kept for an operator, once`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", tenant: kind.tenant), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":["a"],"all":["b","a","c"]"#, org: kind.org)
            #expect(try await bed.send(body).items.map(\.status) == [.accepted])
            try await bed.change(Self.reading("all", tenant: kind.tenant))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.quarantined, .duplicate, .quarantined])
            #expect(again.answer?.status == 202)
            let third = try await bed.send(body, at: Self.noon + 60)
            #expect(third.items.map(\.status) == [.duplicate, .duplicate, .duplicate])
            #expect(third.items.map(\.eventID) == again.items.map(\.eventID))
            let kept = try await bed.rows(
                """
                select concat_ws(' ', item % 1048576, sent_id, reason, quarantine.config_version)
                from dialtone.quarantine join dialtone.events using (event_id) order by item
                """)
            #expect(kept == ["0 d mapping_changed 2", "2 d mapping_changed 2"])
            let users = try await bed.rows("select user_id from dialtone.users")
            #expect(users == ["a"], "nothing is added")
        }
    }

    @Test(arguments: Self.kinds)
    func `two later mappings that read other people at one place lose neither, and keep nobody twice`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", tenant: kind.tenant), maps: kind.org == "o") { bed in
            let body = Self.body(
                #""users":["a"],"second":["b","a"],"third":["d","a"],"fourth":["a","d","b"]"#, org: kind.org)
            #expect(try await bed.send(body).status == .accepted)
            try await bed.change(Self.reading("second", tenant: kind.tenant))
            let second = try await bed.send(body, at: Self.noon + 60)
            #expect(second.items.map(\.status) == [.quarantined, .duplicate])
            try await bed.change(Self.reading("third", tenant: kind.tenant))
            let third = try await bed.send(body, at: Self.noon + 120)
            #expect(third.items.map(\.status) == [.quarantined, .duplicate])
            try await bed.change(Self.reading("fourth", tenant: kind.tenant))
            let fourth = try await bed.send(body, at: Self.noon + 180)
            #expect(fourth.items.map(\.status) == [.duplicate, .duplicate, .duplicate])
            #expect(fourth.items[1...].map(\.eventID) == [third.items[0].eventID, second.items[0].eventID])
            let kept = try await bed.rows(
                """
                select concat_ws(' ', item % 1048576, picks ->> 'user_id')
                from dialtone.quarantine join dialtone.events using (event_id) order by item
                """)
            #expect(kept == ["0 b", "0 d"])
        }
    }

    @Test(arguments: Self.kinds)
    func `a delivery of which a later mapping reads less is known`(_ kind: (tenant: String, org: String)) async throws {
        try await Self.with(Self.reading("users", tenant: kind.tenant), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":["a","b"],"few":["b"]"#, org: kind.org)
            let first = try await bed.send(body)
            try await bed.change(Self.reading("few", tenant: kind.tenant))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.eventID) == [first.items[1].eventID] && again.status == .duplicate)
            let kept = try await bed.rows("select reason from dialtone.quarantine")
            #expect(kept.isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `another delivery under the same id is one, whether or not the mapping was changed`(
        _ isChanged: Bool
    ) async throws {
        try await Self.with(Self.each) { bed in
            _ = try await bed.send(Self.body(#""users":["a"]"#, org: "o"))
            if isChanged { try await bed.change(Self.each) }
            let other = try await bed.send(
                Self.body(isChanged ? #""users":["b"]"# : #""users":["b","a"]"#, org: "o"), at: Self.noon + 60)
            #expect(other.status == .quarantined)
            let kept = try await bed.rows("select reason from dialtone.quarantine")
            #expect(kept == ["reused_id"])
        }
    }
}
