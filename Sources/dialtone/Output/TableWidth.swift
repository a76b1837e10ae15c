// SPDX-License-Identifier: Apache-2.0
// Fits a table to the terminal: some columns are left out, some are cut, and an id only where nothing else is left.

import Foundation
import Glibc

enum TableWidth {
    /// Columns of the terminal on standard output; nil: it is none, and nothing is cut. `COLUMNS` comes first, whatever
    /// the output is: a shell sets it for itself, and exports it only when it was told to.
    static func terminal(environment: [String: String]) -> Int? {
        if let number = environment["COLUMNS"].flatMap({ Int($0) }), number > 20 { return number }
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }

    /// A flexible column keeps so many characters, and its heading.
    private static let least = 12

    /// Returns the rows so that none is longer than `width`. The first row is the heading.
    ///
    /// Columns without a word go first, then spare ones, before a flexible one is cut: half a sentence says less than
    /// none of them. What is too wide
    /// still is cut where it is widest: a line that breaks hides all columns.
    static func fit(_ rows: [[String]], to width: Int, flexible: [Int], spare: [Int]) -> [[String]] {
        var shown = Array(rows.first?.indices ?? 0..<0)
        func widths() -> [Int: Int] {
            Dictionary(
                uniqueKeysWithValues: shown.map { column in
                    (column, rows.map { $0[column].count }.max() ?? 0)
                })
        }
        func total(_ widths: [Int: Int]) -> Int { widths.values.reduce(0, +) + 2 * max(0, shown.count - 1) }
        func least(_ column: Int) -> Int { max(Self.least, rows.first?[column].count ?? 0) }
        let empty = shown.filter { column in rows.count > 1 && rows.dropFirst().allSatisfy { $0[column].isEmpty } }
        for column in empty + spare where total(widths()) > width { shown.removeAll { $0 == column } }
        var wide = widths()
        for column in flexible where total(wide) > width {
            guard let own = wide[column] else { continue }
            wide[column] = max(min(own, least(column)), own - (total(wide) - width))
        }
        while total(wide) > width, let widest = wide.values.max(), widest > 1,
            let column = shown.last(where: { wide[$0] == widest })
        {
            wide[column] = widest - 1
        }
        return rows.map { row in
            shown.map { column in
                let (cell, room) = (row[column], wide[column] ?? 0)
                return cell.count <= room ? cell : String(cell.prefix(max(0, room - 1))) + "…"
            }
        }
    }
}
