// SPDX-License-Identifier: Apache-2.0
// An operator looks at events and replays them with the program alone: exit codes, and the forms of JSON.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct EventCommandTests {
    /// The form that `dialtone send` has, with a table of organisations.
    private static let configuration = """
        {"grammar":1,"tenant":"table","proofs":[{"kind":"standard-webhooks"}],"type":"/type",
         "delivery_id":{"proven":"delivery_id"},"user_id":"/data/user_id","organization":"/data/tenant_id",
         "time":{"at":"/timestamp","as":"rfc3339"},"rules":[{"on":"user.created","membership":"live"}]}
        """

    @Test func `what was not mapped is listed, shown, tried, replayed once, and dropped`() async throws {
        try await Self.with { desk, url in
            for user in ["u-1", "u-2"] { try await desk.done("send", "--url", url, "--tenant", "org", "--user", user) }
            let waiting = try Self.data(try await desk.json("event", "list", "--quarantined", "--source", "s"))
            #expect(waiting.count == 2 && waiting.allSatisfy { $0["reason"] as? String == "unmapped" })
            let ids = waiting.compactMap { $0["event_id"] as? String }
            let shown = try await desk.json("event", "show", ids[0])
            let kept = shown["quarantine"] as? [String: Any]
            #expect(kept?["can_be_replayed"] as? Bool == true && kept?["kept_until"] is String)
            #expect(Set(shown.keys) == Self.membersOfShow && shown["organization"] as? String == "org")

            let early = try await desk.run(["event", "replay", ids[0]])
            #expect(early.code == 1 && early.output.contains("its organisation is not mapped"))
            try await desk.done("source", "map", "add", "s", "org", "acme")
            let dry = try await desk.json("event", "replay", ids[0], "--dry-run")
            #expect(dry["result"] as? String == "replayed" && dry["dry_run"] as? Bool == true)
            #expect((dry["then"] as? [String: Any])?["reason"] as? String == "unmapped")
            #expect((dry["now"] as? [String: Any])?["reason"] is NSNull)
            let users = (dry["effect"] as? [String: Any])?["users"] as? [[String: Any]]
            #expect(users?.first?["tenant"] as? String == "acme" && users?.first?["wanted"] as? String == "live")

            try await desk.done("event", "replay", ids[0])
            let again = try await desk.run(["event", "replay", ids[0]])
            #expect(again.code == 1 && again.output.contains("it was replayed before"))
            try await desk.done("event", "drop", ids[1])
            let dropped = try await desk.run(["event", "drop", ids[1], "--json"])
            #expect(dropped.code == 1 && dropped.output.contains(#""dropped":false"#))
            try await desk.database.until("select 1 from dialtone.users where status = 'ready'")
            let left = try await desk.json("event", "list", "--quarantined")
            #expect(try Self.data(left).isEmpty)
            let all = try Self.data(try await desk.json("event", "list", "--source", "s"))
            #expect(Set(all.compactMap { $0["outcome"] as? String }) == ["accepted", "ignored"])
        }
    }

    @Test func `a person reads whom an event is about and which command goes on, and nothing that is over`()
        async throws
    {
        try await Self.with { desk, url in
            try await desk.done("send", "--url", url, "--tenant", "org", "--user", "u-1")
            let waiting = try Self.data(try await desk.json("event", "list", "--quarantined"))
            let id = try #require(waiting.first?["event_id"] as? String)
            let table = try await desk.run(["event", "list", "--quarantined"]).output
            #expect(table.contains("  org  ") && table.contains("  u-1  "), "\(table)")
            let open = try await desk.run(["event", "show", id]).output
            #expect(open.contains("dialtone event replay \(id) (--dry-run"), "\(open)")
            let early = try await desk.run(["event", "replay", id]).output
            #expect(early.contains("dialtone source map add s org TENANT"), "\(early)")
            try await desk.done("source", "map", "add", "s", "org", "acme")
            try await desk.done("event", "replay", id)
            let again = try await desk.run(["event", "replay", id]).output
            #expect(again.contains("unmapped (mapping version 1)") && !again.contains("1):"), "\(again)")
            let over = try await desk.run(["event", "show", id]).output
            #expect(over.contains("no more; it was there for unmapped"), "\(over)")
        }
    }

    @Test func `all of a source are replayed, and the reason why nothing was is told with exit code 1`() async throws {
        try await Self.with { desk, url in
            try await desk.done("send", "--url", url, "--tenant", "org", "--user", "u-1")
            let none = try await desk.run(["event", "replay", "--source", "s", "--reason", "missing"])
            #expect(none.code == 1 && none.output.hasPrefix("EVENT"))
            try await desk.done("source", "map", "add", "s", "org", "acme")
            let done = try Self.data(try await desk.json("event", "replay", "--source", "s", "--reason", "unmapped"))
            #expect(done.map { $0["result"] as? String } == ["replayed"])
            let id = UUID().uuidString.lowercased()
            try await desk.fails(["event", "show", id], "there is no event \(id)")
            try await desk.fails(["event", "replay", id], "there is no event \(id) in quarantine")
            try await desk.fails(["event", "drop", id], "there is no event \(id) in quarantine")
            try await desk.fails(["event", "list", "--source", "nope"], "there is no source nope")
        }
    }

    @Test func `a quiet source's line has its own samples, however many newer ones others have`() async throws {
        try await Desk.withSimulator { desk in
            try await desk.database.insert(Self.refused)
            let report = try await desk.json("event", "list", "--refused", "--limit", "2")
            let lines = try Self.data(report)
            #expect(lines.map { $0["reason"] as? String } == ["busy", "proof_missing"])
            let lengths = lines.map { line in
                (line["samples"] as? [[String: Any]] ?? []).map { $0["body_bytes"] as? Int }
            }
            #expect(lengths == [[1, 2, 3], [7]], "three at most, the newest first")
            #expect((report["samples"] as? [Any])?.count == 2, "the list of all has its limit")
        }
    }

    /// Five samples of a busy source, and an older one of a quiet source.
    private static let refused: [SQL] = [
        """
        insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
        select date_trunc('hour', now()), source_id::uuid, 1, now() - age, 60, 'refused', reason
        from (values ('00000000-0000-4000-8000-000000000001', interval '1 minute', 'busy'),
                     ('00000000-0000-4000-8000-000000000002', interval '9 minutes', 'proof_missing')
        ) as told (source_id, age, reason)
        """,
        """
        insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
        select now() - number * interval '1 minute', '00000000-0000-4000-8000-000000000001'::uuid, number, 'refused',
               'busy', json_build_object('headers', '[]'::json, 'body', number)
        from generate_series(1, 5) number
        """,
        """
        insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
        values (now() - interval '9 minutes', '00000000-0000-4000-8000-000000000002', 1, 'refused', 'proof_missing',
                '{"headers":[],"body":7}')
        """,
    ]

    @Test(arguments: [
        ["event", "replay"], ["event", "replay", "x", "--source", "s"], ["event", "show", "x"],
        ["event", "list", "--quarantined", "--refused"], ["event", "list", "--limit", "0"],
    ])
    func `wrong usage exits with 2`(arguments: [String]) async throws {
        let ended = try await Program.run(
            arguments, ["DATABASE_URL": "postgresql://127.0.0.1:1/x", "DIALTONE_KEK": "env:X"])
        #expect(ended.code == 2 && ended.output.isEmpty, "\(ended)")
    }

    /// Those of the API, and what an operator sees beside them.
    private static let membersOfShow: Set<String> = [
        "event_id", "received_at", "occurred_at", "source", "user_id", "delivery_id", "item", "wanted", "outcome",
        "detail", "reason", "pointer", "tenant", "organization", "tenants", "source_id", "config_version", "secret_id",
        "effects", "cause_of", "quarantine",
    ]

    private static func data(_ listing: [String: Any]) throws -> [[String: Any]] {
        try #require(listing["data"] as? [[String: Any]])
    }

    /// Lends a desk with a running service and a source that names organisations. None is mapped.
    private static func with(_ work: (inout Desk, String) async throws -> Void) async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve"], desk.environment)
            defer { service.terminate() }
            desk.environment["DIALTONE_PUBLIC_URL"] = ready["listen"]
            let file = desk.folder.appendingPathComponent("mapping.json")
            try Data(Self.configuration.utf8).write(to: file)
            let source = try await desk.json("source", "create", "s", "--config", file.path)
            desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
            try await work(&desk, try #require(source["url"] as? String))
        }
    }
}
