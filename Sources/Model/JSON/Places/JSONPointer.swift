// SPDX-License-Identifier: Apache-2.0
// Where a value stands in a JSON text (RFC 6901): "/data/0/id".

/// The names and indexes on the way to a value. No step is the whole text.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// A longer way is refused: nobody writes one, and each step costs a level.
    package static let maximumSteps = 32

    package let steps: [String]

    package init(steps: [String]) { self.steps = steps }

    /// Reads the form of RFC 6901 section 3: empty, or "/" before each step; "~1" is "/" and "~0" is "~".
    package init(_ text: String) throws(InvalidValue) {
        guard !text.isEmpty else {
            self.steps = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { throw Self.error("must begin with '/', or be empty") }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= Self.maximumSteps else { throw Self.error("has more than \(Self.maximumSteps) steps") }
        var steps: [String] = []
        for part in parts { steps.append(try Self.step(part)) }
        self.steps = steps
    }

    private static func step(_ part: Substring) throws(InvalidValue) -> String {
        guard part.contains("~") else { return String(part) }
        var step = ""
        var escape = false
        for scalar in part.unicodeScalars {
            switch (escape, scalar) {
            case (false, "~"): escape = true
            case (false, _): step.unicodeScalars.append(scalar)
            case (true, "0"): (step, escape) = (step + "~", false)
            case (true, "1"): (step, escape) = (step + "/", false)
            default: throw Self.error("may have '~' only as '~0' and '~1'")
            }
        }
        guard !escape else { throw Self.error("may have '~' only as '~0' and '~1'") }
        return step
    }

    private static func error(_ reason: String) -> InvalidValue { InvalidValue("pointer", reason) }

    package func appending(_ step: String) -> JSONPointer { JSONPointer(steps: self.steps + [step]) }

    package func appending(_ other: JSONPointer) -> JSONPointer { JSONPointer(steps: self.steps + other.steps) }

    package var description: String {
        self.steps.map { step in
            guard step.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
                return "/" + step
            }
            return "/" + step.replacing("~", with: "~0").replacing("/", with: "~1")
        }.joined()
    }
}
