// SPDX-License-Identifier: Apache-2.0
// The keys of one JSON object, so that a repeated key is refused.

/// The keys read so far: a list while they are few, a set when there are many. They are compared by their bytes: "é" as
/// one character is another key than "e" with an accent behind it, although Swift calls these strings equal.
struct SeenKeys {
    private var few: [String] = []
    private var many: Set<[UInt8]> = []

    /// Returns whether the key is the first of its name, and remembers it.
    mutating func isNew(_ key: String) -> Bool {
        guard self.few.count == 16 else {
            if self.few.contains(where: { $0.utf8.elementsEqual(key.utf8) }) { return false }
            self.few.append(key)
            if self.few.count == 16 { self.many = Set(self.few.map { Array($0.utf8) }) }
            return true
        }
        return self.many.insert(Array(key.utf8)).inserted
    }
}
