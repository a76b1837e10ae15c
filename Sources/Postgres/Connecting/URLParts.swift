// SPDX-License-Identifier: Apache-2.0
// Takes a connection string apart as libpq does, to find the piece that is wrong with it.

/// The parts of a `postgresql://` URL that libpq reads as something other than the login.
struct URLParts {
    /// Hosts, ports and database.
    let place: Substring
    private let query: Substring
    private let text: String

    /// Nil when libpq reads the text as `key=value` pairs.
    init?(_ text: String) {
        guard let scheme = ["postgresql://", "postgres://"].first(where: { text.hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        // As libpq: the login ends at the first @, when no / comes before it.
        let login = rest.prefix { $0 != "@" && $0 != "/" }
        let hasLogin = rest[login.endIndex...].hasPrefix("@")
        let behind = hasLogin ? rest[login.endIndex...].dropFirst() : rest
        self.place = behind.prefix { $0 != "?" }
        self.query = behind[self.place.endIndex...].dropFirst()
        self.text = text
    }

    /// Says what is wrong with a URL that libpq has refused. Quotes a parameter's name only when it cannot be a piece
    /// of a password.
    func problem(keywords: Set<String>) -> String {
        if Self.hasBadEscape(self.text) {
            return "a % is not followed by two hexadecimal digits; \(ConnectionString.unencodedPassword)"
        }
        var words = UnknownWords(keywords: keywords)
        words.mayHoldSecret = self.query.contains("@")
        for pair in self.query.split(separator: "&") where pair != "ssl=true" {
            words.meet(String(pair.prefix { $0 != "=" }))
        }
        return words.problem
            ?? "the connection string is not in libpq's form, postgresql://USER:PASSWORD@HOST/DATABASE?NAME=VALUE"
    }

    /// Returns the scheme of a URL that is not libpq's, such as `postgresql+asyncpg`. A text before `://` with any
    /// other character may be a login, and is not returned.
    static func foreignScheme(of text: String) -> String? {
        guard let end = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<end.lowerBound]
        let name = scheme.hasPrefix("jdbc:") ? scheme.dropFirst(5) : scheme
        let isName = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return isName && !name.isEmpty && name.count <= 40 ? String(scheme) : nil
    }

    private static func hasBadEscape(_ text: String) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().contains { piece in
            let digits = piece.utf8.prefix(2)
            return digits.count < 2 || !digits.allSatisfy { Unicode.Scalar($0).properties.isASCIIHexDigit }
        }
    }
}

/// Reads the keys of `key=value` pairs as libpq does.
enum ConnectionPairs {
    /// Returns the keys up to the first word that has no `=`.
    static func keys(of text: String) -> [String] {
        var rest = Substring(text)
        var keys: [String] = []
        while true {
            rest = rest.drop(while: \.isWhitespace)
            let key = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest[key.endIndex...].drop(while: \.isWhitespace)
            guard !key.isEmpty, rest.hasPrefix("=") else { return keys }
            keys.append(String(key))
            rest = Self.afterValue(rest.dropFirst().drop(while: \.isWhitespace))
        }
    }

    /// A value ends at a blank, or at its closing quote. A backslash makes the next character part of it.
    private static func afterValue(_ text: Substring) -> Substring {
        let isQuoted = text.hasPrefix("'")
        var rest = isQuoted ? text.dropFirst() : text
        while let next = rest.first {
            if isQuoted ? next == "'" : next.isWhitespace { return rest.dropFirst() }
            rest = rest.dropFirst(next == "\\" ? 2 : 1)
        }
        return rest
    }
}
