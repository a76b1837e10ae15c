// SPDX-License-Identifier: Apache-2.0
// A secret that somebody else has made: from a file or standard input, or pasted into a terminal.

import Foundation
import Glibc
import Model

/// On a terminal it says what to do, reads one line, and does not show it.
enum PastedSecret {
    /// Returns the bytes of a file with a sender's secret; `-` is standard input.
    static func read(_ path: String) throws -> [UInt8] {
        guard path == "-", let line = try Self.typed("secret", option: "--secret-file") else {
            return try FileArgument.read(path, option: "--secret-file")
        }
        return Array(line.utf8)
    }

    /// Returns the first line of standard input. `what` names it to who sits at a terminal.
    static func line(_ what: String) throws -> String {
        try Self.typed(what, option: "standard input") ?? readLine(strippingNewline: true) ?? ""
    }

    /// Nil: standard input is no terminal.
    private static func typed(_ what: String, option: String) throws -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        guard let line = getpass("Paste the \(what), then Enter: ") else {
            throw InvalidValue(option, "names a terminal that cannot be read")
        }
        return String(cString: line)
    }
}
