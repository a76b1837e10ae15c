// SPDX-License-Identifier: Apache-2.0
// The keys of one JSON object, so that a repeated key is refused.

/// The keys read so far: a list while they are few, a set when there are many.
struct SeenKeys {
    private var few: [String] = []
    private var many: Set<String> = []

    /// Returns whether the key is the first of its name, and remembers it.
    mutating func isNew(_ key: String) -> Bool {
        guard self.few.count == 16 else {
            if self.few.contains(key) { return false }
            self.few.append(key)
            if self.few.count == 16 { self.many = Set(self.few) }
            return true
        }
        return self.many.insert(key).inserted
    }
}
