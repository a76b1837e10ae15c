// SPDX-License-Identifier: Apache-2.0
// A broken promise of a simulated life, with the seed that brings it back.

package struct Violation: Error, CustomStringConvertible {
    let seed: UInt64
    /// The kind of life, unless it was a life with everything.
    let life: String
    let what: String
    let trace: [String]
    package var description: String {
        "seed \(self.seed)\(self.life): \(self.what)\n" + self.trace.joined(separator: "\n")
    }
}
