// SPDX-License-Identifier: Apache-2.0
// How long a caller lets us wait for a user who is not ready: `Prefer: wait=N` (RFC 7240).

enum Preference {
    /// Seconds at most. A balancer may cut a request after 30, and a graceful stop takes 25.
    static let longestWait = 25

    /// Returns the seconds of `wait`, at most `longestWait`. Nil when it is absent or cannot be read.
    ///
    /// Each value is one header line. A preference has a word or a quoted string, and parameters after `;`. Of several
    /// `wait` the first one counts (section 2).
    static func wait(_ values: [String]) -> Int? {
        for value in values {
            for preference in self.split(value, at: ",") {
                let bare = self.split(preference, at: ";").first ?? ""
                let pair = bare.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(self.trimmed)
                guard pair[0].lowercased() == "wait" else { continue }
                return pair.count == 2 ? self.seconds(self.unquoted(pair[1])) : nil
            }
        }
        return nil
    }

    /// Digits only. A number that is too large for an integer is a long wait all the same.
    private static func seconds(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return min(Int(text) ?? self.longestWait, self.longestWait)
    }

    /// Returns the parts between separators that stand outside quoted strings.
    private static func split(_ text: some StringProtocol, at separator: Character) -> [String] {
        var (parts, isQuoted, isEscaped) = ([""], false, false)
        for letter in text {
            if letter == separator, !isQuoted {
                parts.append("")
                continue
            }
            parts[parts.count - 1].append(letter)
            if isEscaped {
                isEscaped = false
            } else if letter == "\\", isQuoted {
                isEscaped = true
            } else if letter == "\"" {
                isQuoted.toggle()
            }
        }
        return parts
    }

    /// The value of a quoted string (RFC 9110 section 5.6.4), or the word as it is.
    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return text }
        var (value, isEscaped) = ("", false)
        for letter in text.dropFirst().dropLast() {
            if letter == "\\", !isEscaped {
                isEscaped = true
            } else {
                value.append(letter)
                isEscaped = false
            }
        }
        return value
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
