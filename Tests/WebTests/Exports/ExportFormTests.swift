// SPDX-License-Identifier: Apache-2.0
// An export is in the form that was asked for, no cell of it is a formula, and NDJSON shows its end.

import Directory
import Foundation
import Model
import Testing

@testable import Web

@Suite struct ExportFormTests {
    @Test(arguments: [
        (["application/x-ndjson"], ExportForm?.some(.lines)), (["text/csv; charset=utf-8"], .csv),
        (["text/html, text/csv"], .csv), (["application/json"], nil), (["application/json, text/csv"], nil),
        (["*/*"], nil), ([], nil), (["text/csv;q=0"], nil), (["text/csv; q=0.000, application/x-ndjson"], .lines),
        (["text/csv;q=0.1, application/json;q=0"], .csv),
    ])
    func `the form is the one that Accept names`(accept: [String], form: ExportForm?) {
        #expect(ExportForm(accept) == form)
    }

    @Test func `a row of any list has its members as cells, and those with members of their own as JSON`() throws {
        var text = ExportForm.csv.heading(Row.columns)
        let row = Row(at: Date(timeIntervalSince1970: 1_764_153_821), name: "=ä\n", why: .init(code: "x"), last: nil)
        try ExportForm.csv.append(row, to: &text)
        #expect(
            text == """
                name,at,number,flag,why,last\r
                "'=ä
                ",2025-11-26T10:43:41.000Z,-7,true,"{""code"":""x""}",\r

                """)
        text = ExportForm.lines.heading(Row.columns)
        try ExportForm.lines.append(row, to: &text)
        #expect(
            text == """
                {"at":"2025-11-26T10:43:41.000Z","flag":true,"last":null,"name":"=ä\\n","number":-7,"why":{"code":"x"}}

                """)
    }

    private struct Row: ListRow {
        struct Why: Codable { var code: String }
        static let columns = ["name", "at", "number", "flag", "why", "last"]
        var at: Date
        var name: String
        var number = -7
        var flag = true
        var why: Why
        @OrNull var last: String?
    }

    @Test(arguments: [
        ("u-1", "u-1"), ("=1+1", "'=1+1"), ("+49", "'+49"), ("-u", "'-u"), ("@x", "'@x"), ("a,b", "\"a,b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\nb", "\"a\nb\""), ("", ""), ("=a,b", "\"'=a,b\""),
        ("a\"\u{301}b", "\"a\"\"\u{301}b\""), ("=\u{301}1", "'=\u{301}1"), ("a\r\nb", "\"a\r\nb\""),
    ])
    func `a cell is quoted where it must be, and is no formula`(text: String, cell: String) {
        #expect(ExportForm.cell(text) == cell)
    }

    private static func user() throws -> UserEntry {
        let text = """
            {"tenant":"acme","user_id":"ä \\"1\\"","name":null,"email":"a@b.c","status":"ready","why":null,\
            "credential_id":"c-1","sip_username":"gencred1","tag":"acme","generation":2,\
            "received_at":"2026-11-26T10:43:41.123Z","ready_at":null}
            """
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            RFC3339.date(try decoder.singleValueContainer().decode(String.self)) ?? Date.distantPast
        }
        return try decoder.decode(UserEntry.self, from: Data(text.utf8))
    }

    @Test func `a line has the members of the API but the reason, and a row has the same`() throws {
        let user = try Self.user()
        var line = ""
        ExportForm.lines.append(user, to: &line)
        #expect(
            line == """
                {"tenant":"acme","user_id":"ä \\"1\\"","name":null,"email":"a@b.c","status":"ready",\
                "credential_id":"c-1","sip_username":"gencred1","tag":"acme","generation":2,\
                "received_at":"2026-11-26T10:43:41.123Z","ready_at":null}

                """)
        var row = ExportForm.csv.heading(ExportForm.userColumns)
        ExportForm.csv.append(user, to: &row)
        let heading =
            "tenant,user_id,name,email,status,credential_id,sip_username,tag,generation,received_at,ready_at\r\n"
        let cells = "acme,\"ä \"\"1\"\"\",,a@b.c,ready,c-1,gencred1,acme,2,2026-11-26T10:43:41.123Z,\r\n"
        #expect(row == heading + cells)
        #expect(ExportForm.lines.ending(rows: 7) == "{\"end\":true,\"rows\":7}\n")
    }
}
