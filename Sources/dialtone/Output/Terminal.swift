// SPDX-License-Identifier: Apache-2.0
// Prints results on standard output, and everything said on the way on standard error.
//
// Senders and the provider choose some of the words that are printed. A terminal would obey a control character in
// them, and a bidi mark would show a line in another order. Every invisible character is printed as `\u{…}`.

import Composition
import Foundation
import Model

enum Terminal {
    /// Prints a result, of one line or several.
    static func show(_ text: String) { Self.write(text, to: .standardOutput) }

    /// Prints progress or a problem.
    static func tell(_ text: String) { Self.write(text, to: .standardError) }

    private static func write(_ text: String, to output: FileHandle) {
        output.write(Data((VisibleText.escaped(text, keepsLines: true) + "\n").utf8))
    }

    /// Prints one JSON value on one line, in the form that the API has. An invisible character is an escape of JSON, so
    /// that a program reads it as it was.
    static func show(json value: some Encodable) throws {
        self.show(JSONText.visible(String(decoding: try JSONOutput.data(value), as: UTF8.self)))
    }

    /// Prints a table with a heading. A column is as wide as its widest cell. A line feed in a cell is escaped too. On a
    /// terminal the table fits it: `flexible` columns are cut, `spare` ones are left out.
    static func show(table heading: [String], _ rows: [[String]], flexible: [Int] = [], spare: [Int] = []) {
        var lines = ([heading] + rows).map { row in row.map { VisibleText.escaped($0) } }
        if let width = TableWidth.terminal(environment: ProcessInfo.processInfo.environment) {
            lines = TableWidth.fit(lines, to: width, flexible: flexible, spare: spare)
        }
        let widths = (lines.first ?? []).indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for row in lines {
            let cells = row.enumerated().map { place, cell in
                cell + String(repeating: " ", count: widths[place] - cell.count)
            }
            var line = cells.joined(separator: "  ")
            // Only at its end: an empty first cell keeps the others in their columns.
            while line.last == " " { line.removeLast() }
            self.show(line)
        }
    }

    /// Prints a listing as one JSON object or as a table. `next` is the start of the next page.
    static func show<Element: Line>(
        _ lines: [Element], next: String? = nil, json: Bool, fields: Fields? = nil
    ) throws {
        if let paths = fields?.paths { return try self.show(lines, next: next, json: json, only: paths) }
        if json { return try self.show(json: Listing(data: lines, next: next)) }
        self.show(table: Element.heading, lines.map(\.cells), flexible: Element.flexible, spare: Element.spare)
    }

    private static func show<Element: Line>(
        _ lines: [Element], next: String?, json: Bool, only paths: [[String]]
    ) throws {
        let rows = try lines.map { try Fields.pick(paths, of: $0) }
        guard json else {
            let cells = rows.map { row in row.map { $0.value.cell } }
            return self.show(
                table: paths.map { $0.joined(separator: ".").uppercased() }, cells, flexible: paths.indices.reversed())
        }
        let data = rows.map { row in
            "{" + row.map { "\(JSONText.quoted($0.name)):\($0.value.text)" }.joined(separator: ",") + "}"
        }
        let end = next.map { JSONText.quoted($0) } ?? "null"
        self.show(JSONText.visible("{\"data\":[\(data.joined(separator: ","))],\"next\":\(end)}"))
    }

    /// Call this first: libpq's own variables must not redirect a command.
    static func closeEnvironment() { Environment.close() }
}

extension JSONValue {
    /// The value in a cell of a table.
    fileprivate var cell: String {
        switch self {
        case .null: ""
        case .string(let text): text
        default: self.text
        }
    }
}
