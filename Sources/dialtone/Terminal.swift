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

    /// Prints a table with a heading. A column is as wide as its widest cell. A line feed in a cell is escaped too.
    static func show(table heading: [String], _ rows: [[String]]) {
        let lines = ([heading] + rows).map { row in row.map { VisibleText.escaped($0) } }
        let widths = heading.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for row in lines {
            let cells = row.enumerated().map { place, cell in
                cell + String(repeating: " ", count: widths[place] - cell.count)
            }
            self.show(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    /// Prints a listing as one JSON object or as a table. `next` is the start of the next page.
    static func show<Element: Line>(_ lines: [Element], next: String? = nil, json: Bool) throws {
        if json { return try self.show(json: Listing(data: lines, next: next)) }
        self.show(table: Element.heading, lines.map(\.cells))
    }

    /// Call this first: libpq's own variables must not redirect a command.
    static func closeEnvironment() { Environment.close() }
}
