// SPDX-License-Identifier: Apache-2.0
// The brackets that are open at one place of a JSON text: one bit each, so that deep nesting costs little memory.

/// A stack of objects and arrays. Sixty-four of them need no allocation, and a megabyte of "[" needs 128 KiB.
struct OpenBrackets {
    /// The innermost ones, 64 at most; the innermost is the lowest bit. 1 is an object.
    private var bits: UInt64 = 0
    private var count = 0
    private var outer: [UInt64] = []

    var isEmpty: Bool { self.count == 0 }
    /// Whether the innermost bracket is an object's. False when none is open.
    var isObject: Bool { self.bits & 1 == 1 }

    mutating func open(isObject: Bool) {
        if self.count > 0 && self.count % 64 == 0 {
            self.outer.append(self.bits)
            self.bits = 0
        }
        self.bits = self.bits << 1 | (isObject ? 1 : 0)
        self.count += 1
    }

    mutating func close() {
        self.bits >>= 1
        self.count -= 1
        if self.count > 0 && self.count % 64 == 0 { self.bits = self.outer.popLast() ?? 0 }
    }
}
