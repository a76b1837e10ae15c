// SPDX-License-Identifier: Apache-2.0
// A secret that the sender has made: from a file, or pasted into a terminal.

import Foundation
import Glibc
import Model

enum PastedSecret {
    /// Returns the bytes of a file; `-` is standard input. On a terminal it says what to do, reads one line, and does not
    /// show it.
    static func read(_ path: String) throws -> [UInt8] {
        guard path == "-", isatty(STDIN_FILENO) == 1 else {
            return try FileArgument.read(path, option: "--secret-file")
        }
        guard let line = getpass("Paste the secret, then Enter: ") else {
            throw InvalidValue("--secret-file", "names a terminal that cannot be read")
        }
        return Array(String(cString: line).utf8)
    }
}
