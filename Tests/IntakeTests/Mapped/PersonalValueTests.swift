// SPDX-License-Identifier: Apache-2.0
// A person's name and address stand in bodies, and no table has them in clear.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

extension MappedIntakeTests {
    @Test(arguments: [false, true])
    func `no table has a name or an address in clear, whatever becomes of the event`(keepsNames: Bool) async throws {
        let configuration = Self.split.replacing(
            #""user_id":"/user""#, with: #""user_id":"/user","display_name":"/name","email":"/mail""#)
        try await Self.with(configuration) { bed in
            if keepsNames {
                _ = try await bed.registry.update(
                    slug: "s", tenant: nil, configuration: nil, allowedTenants: nil, keepsNames: true)
            }
            let personal = #""name":"Canary Name","mail":"canary@example.com","#
            let events = [
                Self.event(1, "u"), Self.event(2, "v", org: "new"), Self.event(3, "w", type: "other"),
                Self.event(4, "x").replacing(#""user":"x""#, with: #""user":7.5"#),
            ].map { $0.replacing(#"{"id""#, with: #"{\#(personal)"id""#) }
            let receipt = try await bed.send(#"{"events":[\#(events.joined(separator: ","))]}"#)
            #expect(receipt.items.map(\.status) == [.accepted, .quarantined, .quarantined])
            let picks = try await bed.rows("select picks::text from dialtone.quarantine where picks::text like '%new%'")
            #expect(picks.count == 1, "other picks are kept")
            let sealed = try await bed.rows("select user_id from dialtone.person_names")
            #expect(sealed == (keepsNames ? ["u"] : []))
            let tables = try await bed.rows("select tablename::text from pg_tables where schemaname = 'dialtone'")
            #expect(tables.contains("quarantine") && tables.contains("people"))
            for table in tables {
                let found = try await bed.rows(
                    SQL(stringLiteral: "select row_to_json(t)::text from dialtone.\(table) t where t::text ~* 'canary'")
                )
                #expect(found.isEmpty, "\(table)")
            }
        }
    }
}
