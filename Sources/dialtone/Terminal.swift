// SPDX-License-Identifier: Apache-2.0
// What goes where: results to standard output, everything said on the way to standard error.

import Composition
import Foundation

enum Terminal {
    static func show(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static func tell(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// One JSON value on one line; times in RFC 3339, members in the order of the type.
    static func show(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        self.show(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A table with a heading; columns as wide as their widest cell.
    static func show(table heading: [String], _ rows: [[String]]) {
        let widths = heading.indices.map { column in ([heading] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [heading] + rows {
            let cells = row.enumerated().map { place, cell in
                cell + String(repeating: " ", count: widths[place] - cell.count)
            }
            self.show(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    /// A listing, as one JSON object or as a table.
    static func show<Element: Line>(_ lines: [Element], next: String? = nil, json: Bool) throws {
        if json { return try self.show(json: Listing(data: lines, next: next)) }
        self.show(table: Element.heading, lines.map(\.cells))
    }

    /// libpq's own variables must not redirect a service.
    static func closeEnvironment() { Environment.close() }
}

/// `{"data":[…],"next":…}`, the form of every listing.
struct Listing<Element: Encodable>: Encodable {
    var data: [Element]
    var next: String?

    enum CodingKeys: CodingKey { case data, next }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.data, forKey: .data)
        try container.encode(self.next, forKey: .next)
    }
}
