// SPDX-License-Identifier: Apache-2.0
// Finds the name that was meant: an answer that suggests it spares its reader the page.

package enum NearestName {
    /// Returns the known name that the fewest changed letters lead to; the first of several. Nil when none is known, or
    /// none by `limit` changes.
    package static func of(_ name: String, among known: [String], within limit: Int = .max) -> String? {
        let given = Array(name.lowercased().utf8.prefix(64))
        return known.map { (name: $0, distance: Self.distance(given, Array($0.utf8))) }
            .filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.name
    }

    /// The number of bytes to insert, remove or replace (Levenshtein).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (place, letter) in left.enumerated() {
            var corner = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let replaced = corner + (letter == other ? 0 : 1)
                corner = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, corner + 1)
            }
        }
        return row[right.count]
    }
}
