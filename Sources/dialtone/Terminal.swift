// SPDX-License-Identifier: Apache-2.0
// Prints results on standard output, and everything said on the way on standard error.

import Composition
import Foundation
import Model

enum Terminal {
    /// Prints a result.
    static func show(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// Prints progress or a problem.
    static func tell(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Prints one JSON value on one line, in the form that the API has.
    static func show(json value: some Encodable) throws {
        self.show(String(decoding: try JSONOutput.data(value), as: UTF8.self))
    }

    /// Prints a table with a heading. A column is as wide as its widest cell.
    static func show(table heading: [String], _ rows: [[String]]) {
        let widths = heading.indices.map { column in ([heading] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [heading] + rows {
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
