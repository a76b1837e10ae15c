// SPDX-License-Identifier: Apache-2.0
// A delivery of which nothing could be read, or of which one item waits, comes again under a mended mapping.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

extension MappedIntakeTests {
    /// Of a tracked source and of a plain one.
    private static let resent = [(tenant: #""table""#, org: "o"), (tenant: #"{"allow":["acme"]}"#, org: "acme")]

    private static func reading(_ list: String, _ kind: (tenant: String, org: String)) -> String {
        Self.each.replacing(#""each":"/users""#, with: #""each":"/\#(list)""#)
            .replacing(#""tenant":"table""#, with: #""tenant":\#(kind.tenant)"#)
    }

    private static func body(_ lists: String, _ kind: (tenant: String, org: String)) -> String {
        #"{"id":"d","type":"joined","org":"\#(kind.org)",\#(lists)}"#
    }

    private static let users: SQL = "select user_id from dialtone.users order by user_id"

    private static let rows: SQL = """
        select concat_ws(' ', case when item > 1048576 then 'beyond' end, item % 1048576, reason, spans, settled_by)
        from dialtone.quarantine join dialtone.events using (event_id) order by item
        """

    @Test(arguments: Self.resent)
    func `a delivery of which nothing could be read is taken in as a whole when it comes again`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5],"all":["u0","u1","u2"]"#, kind)
            let first = try await bed.send(body)
            #expect(first.items.map(\.status) == [.quarantined])
            try await bed.change(Self.reading("all", kind))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.accepted, .accepted, .accepted])
            #expect(again.eventID == first.eventID)
            let third = try await bed.send(body, at: Self.noon + 60)
            #expect(third.items.map(\.eventID) == again.items.map(\.eventID))
            #expect(third.items.allSatisfy { $0.status == .duplicate })
            let (users, rows) = (try await bed.rows(Self.users), try await bed.rows(Self.rows))
            #expect(users == ["u0", "u1", "u2"] && rows == ["0 wrong_type request resend"])
        }
    }

    @Test(arguments: Self.resent)
    func `what can be read of it is taken in, also while its first item waits`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5],"all":[8.5,"u1"]"#, kind)
            _ = try await bed.send(body)
            try await bed.change(Self.reading("all", kind))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.duplicate, .accepted])
            let (users, rows) = (try await bed.rows(Self.users), try await bed.rows(Self.rows))
            #expect(users == ["u1"] && rows == ["0 wrong_type request"])
        }
    }

    @Test(arguments: Self.resent)
    func `a delivery that was dropped as a whole adds nothing when it comes again`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5],"all":["u0","u1",7.5]"#, kind)
            let first = try await bed.send(body)
            let replay = EventReplay(pool: bed.registry.pool, vault: bed.registry.vault)
            #expect(try await replay.drop(first.eventID) == .dropped)
            try await bed.change(Self.reading("all", kind))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.duplicate, .duplicate, .duplicate])
            let (users, rows) = (try await bed.rows(Self.users), try await bed.rows(Self.rows))
            #expect(users.isEmpty && rows == ["0 wrong_type request dropped"])
        }
    }

    @Test(arguments: Self.resent)
    func `another person's word settles nothing where a later mapping numbers the items in another way`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await Self.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5,"c"],"all":["x","b","c"]"#, kind)
            #expect(try await bed.send(body).items.map(\.status) == [.quarantined, .accepted])
            try await bed.change(Self.reading("all", kind))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.quarantined, .quarantined, .duplicate])
            let (users, rows) = (try await bed.rows(Self.users), try await bed.rows(Self.rows))
            #expect(users == ["c"])
            #expect(
                rows == [
                    "0 wrong_type item", "beyond 0 mapping_changed item", "beyond 1 mapping_changed item",
                ])
        }
    }

    /// Each element names its organisation.
    private static let placed = Self.each.replacing(#""user_id":".""#, with: #""user_id":"./id""#)
        .replacing(#""organization":"/org""#, with: #""organization":"./org""#)

    @Test func `a word whose organisation is mapped after its first take is kept, and the others are known`()
        async throws
    {
        try await Self.with(Self.placed) { bed in
            try await WordBed.map("none", to: nil, of: bed.source.id, bed.database)
            let body = #"{"id":"d","type":"joined","users":[{"id":"a","org":"o"},{"id":"b","org":"none"}]}"#
            let first = try await bed.send(body)
            #expect(first.items.map(\.status) == [.accepted, .ignored])
            try await WordBed.map("none", to: "acme", of: bed.source.id, bed.database)
            let again = try await bed.send(body)
            #expect(again.items.map(\.status) == [.duplicate, .quarantined])
            #expect(again.eventID == first.eventID)
            let (users, rows) = (try await bed.rows(Self.users), try await bed.rows(Self.rows))
            #expect(users == ["a"] && rows == ["beyond 1 mapping_changed item"])
        }
    }

    /// The id may name the person.
    @Test func `a delivery of an erased person that brings another item keeps no sender's id`() async throws {
        try await Self.with(Self.placed) { bed in
            try await WordBed.map("none", to: nil, of: bed.source.id, bed.database)
            let body = #"{"id":"d","type":"joined","users":[{"id":"a","org":"o"},{"id":"b","org":"none"}]}"#
            _ = try await bed.send(body)
            try await bed.database.admin.script(
                """
                update dialtone.events
                set outcome = 'ignored', detail = 'erased', user_id = null, wanted = null, sent_id = null
                """)
            try await WordBed.map("none", to: "acme", of: bed.source.id, bed.database)
            _ = try await bed.send(body)
            let ids = try await bed.rows("select coalesce(sent_id, 'none') from dialtone.events")
            #expect(ids == ["none", "none"])
        }
    }

    @Test func `of many deliveries that are taken in as a whole a batch takes some, and the others come again`()
        async throws
    {
        try await Self.with(Self.split) { bed in
            let count = Resend.maximumTakenIn + 4
            let unread = (0..<count).map { Self.event($0, "u\($0)").replacing(#""user""#, with: #""uid""#) }
            for event in unread { _ = try await bed.send(#"{"events":[\#(event)]}"#) }
            let words = try (0..<count).map { number in
                try Said.joins("o", 10).with {
                    let id = StoredID("e\(number)", of: bed.source.id, signsTime: false)
                    ($0.user, $0.source, $0.delivery) = ("u\(number)", bed.source.id, id.text)
                }.word()
            }
            var clock = FairClock()
            let first = try await TrackedDelivery.store(words, &clock, in: bed.registry.pool)
            let taken = first.values.filter { (try? $0.get())?.status == .accepted }
            #expect(taken.count == Resend.maximumTakenIn)
            let refused = first.values.filter { $0 == .failure(.busy(retryAfter: 1)) }
            #expect(refused.count == 4)
            let second = try await TrackedDelivery.store(words, &clock, in: bed.registry.pool)
            #expect(second.values.allSatisfy { (try? $0.get()) != nil })
            let users = try await bed.rows(Self.users)
            #expect(users.count == count)
        }
    }

    @Test func `a body whose row is dropped just then goes to another row that is open`() async throws {
        try await Self.with(Self.split) { bed in
            let bad = #"{"id":"bad","type":"joined","user":7.5,"org":"o","time":1}"#
            let body = #"{"events":[\#(bad),\#(bad.replacing("bad", with: "worse"))]}"#
            _ = try await bed.send(body)
            _ = try await bed.database.admin.query("update dialtone.quarantine set sealed = null")
            let drop: SQL = """
                update dialtone.quarantine set settled_at = now(), settled_by = 'dropped'
                where event_id = (select event_id from dialtone.quarantine order by event_id desc limit 1)
                """
            try await TwoConnections.hold([drop], bed.database) { _ = try await bed.send(body) }
            let kept = try await bed.rows(
                "select concat_ws(' ', settled_by, sealed is not null) from dialtone.quarantine order by event_id")
            #expect(kept == ["t", "dropped f"])
        }
    }
}
