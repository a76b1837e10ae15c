// SPDX-License-Identifier: Apache-2.0
// An export in a form that programs read line by line, and that shows its own end.

import Directory
import Foundation
import HTTPTypes
import Model

enum ExportForm: String, CaseIterable, Sendable {
    /// A JSON value a line; the last is `{"end":true,"rows":…}`.
    case lines = "application/x-ndjson"
    /// RFC 4180 with a heading. The number of rows is a trailer of the answer.
    case csv = "text/csv"

    /// Nil when the request asks for neither, or for JSON too.
    init?(_ accept: [String]) {
        let types = Self.types(accept)
        guard let form = types.compactMap({ Self(rawValue: $0) }).first, !types.contains("application/json") else {
            return nil
        }
        self = form
    }

    private static func types(_ accept: [String]) -> [String] {
        accept.flatMap { $0.split(separator: ",") }.compactMap { value in
            let parts = value.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
            // A weight of zero: this form is not wanted (RFC 9110 section 12.4.2).
            let isWanted = !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
            return isWanted ? parts.first : nil
        }
    }

    /// The list is saved under its name where a browser asks for it.
    func headers(of list: String) -> HTTPFields {
        [
            .contentType: self == .csv ? "text/csv; charset=utf-8; header=present" : self.rawValue,
            .cacheControl: "no-store", .vary: "Accept, Authorization",
            .contentDisposition: "attachment; filename=\"\(list).\(self == .csv ? "csv" : "ndjson")\"",
        ]
    }

    /// CSV has no line that could tell the end.
    static func trailers(rows: Int) -> HTTPFields {
        var trailers = HTTPFields()
        trailers.set("dialtone-rows", "\(rows)")
        return trailers
    }

    func heading(_ columns: [String]) -> String { self == .csv ? columns.joined(separator: ",") + "\r\n" : "" }

    func ending(rows: Int) -> String { self == .csv ? "" : "{\"end\":true,\"rows\":\(rows)}\n" }

    /// Those that `append` writes of a user.
    static let userColumns = [
        "tenant", "user_id", "name", "email", "status", "credential_id", "sip_username", "tag", "generation",
        "received_at", "ready_at",
    ]

    /// Adds a row with its members as the API has them. A cell of CSV holds text as it is, and JSON where a member has
    /// members of its own.
    func append(_ row: some ListRow, to text: inout String) throws {
        let json = try JSONOutput.data(row)
        switch self {
        case .lines: text += String(decoding: json, as: UTF8.self) + "\n"
        case .csv:
            let value = try JSONValue(parsing: Array(json))
            text += type(of: row).columns.map { Self.cell(of: value[$0]) }.joined(separator: ",") + "\r\n"
        }
    }

    private static func cell(of value: JSONValue?) -> String {
        switch value {
        case nil, .null: ""
        case .string(let text): self.cell(text)
        // A negative number is no formula.
        case .number(let digits): digits
        case .some(let value): self.cell(value.text)
        }
    }

    /// Written by hand: a general encoder takes longer than the database does.
    func append(_ user: UserEntry, to text: inout String) {
        switch self {
        case .lines:
            text += "{\"tenant\":\"\(user.tenant)\",\"user_id\":\(JSONText.quoted(user.userID)),\"name\":"
            text += Self.quoted(user.name) + ",\"email\":" + Self.quoted(user.email)
            text += ",\"status\":\"\(user.status)\",\"credential_id\":" + Self.quoted(user.credentialID)
            text += ",\"sip_username\":" + Self.quoted(user.sipUsername) + ",\"tag\":" + Self.quoted(user.tag)
            text += ",\"generation\":\(user.generation),\"received_at\":\"\(RFC3339.text(user.receivedAt))\""
            text += ",\"ready_at\":" + (user.readyAt.map { "\"\(RFC3339.text($0))\"" } ?? "null") + "}\n"
        case .csv:
            let cells = [
                user.tenant, user.userID, user.name ?? "", user.email ?? "", user.status, user.credentialID ?? "",
                user.sipUsername ?? "", user.tag ?? "", "\(user.generation)", RFC3339.text(user.receivedAt),
                user.readyAt.map(RFC3339.text) ?? "",
            ]
            text += cells.map(Self.cell).joined(separator: ",") + "\r\n"
        }
    }

    private static func quoted(_ text: String?) -> String { text.map(JSONText.quoted) ?? "null" }

    /// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    ///
    /// It is read by bytes: a quotation mark and an accent after it are one character, and so are CR and LF.
    static func cell(_ text: String) -> String {
        let safe = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } == true ? "'" + text : text
        guard safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return safe }
        let quote = UInt8(ascii: "\"")
        let inside = safe.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return "\"" + String(decoding: inside, as: UTF8.self) + "\""
    }
}
