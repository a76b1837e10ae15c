// SPDX-License-Identifier: Apache-2.0
// A word as a POSIX shell reads it back, for commands that people copy.

enum ShellWord {
    /// Returns the word in single quotes where a shell would read it otherwise, and behind `--` where a command would take
    /// it for an option.
    static func quoted(_ word: String) -> String {
        let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:+/%"
        let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy { plain.unicodeScalars.contains($0) }
        let quoted =
            isPlain
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        return word.hasPrefix("-") ? "-- \(quoted)" : quoted
    }
}
