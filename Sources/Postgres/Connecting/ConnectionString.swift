// SPDX-License-Identifier: Apache-2.0
// Reads a connection string with libpq, and says what is wrong with a bad one without quoting its secret part.
//
// libpq's own messages quote the string, so they are never shown. A password with an unencoded `@`, `/`, `?` or `&`
// makes libpq take a piece of it for a host, a port, a database or a parameter. Such a string is refused here, before
// a later error could name that piece.

import CLibpq

/// Reads connection strings (34.1.1: `postgresql://…` or `key=value …`).
enum ConnectionString {
    /// Returns libpq's parameters. Throws `.configuration` with a text that quotes no value.
    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        guard !text.utf8.contains(0), !text.isEmpty else {
            throw Self.refusal("the connection string is empty or holds a NUL")
        }
        let parts = URLParts(text)
        if let parts, parts.place.contains("@") { throw Self.refusal(Self.unencodedPassword) }
        guard let parameters = Self.parameters(text) else {
            if let parts { throw Self.refusal(parts.problem(keywords: Self.keywords())) }
            throw Self.refusal(Self.problem(inPairs: text))
        }
        try Self.check(parameters, libpq: PQlibVersion())
        return parameters
    }

    /// Throws when a parsed value cannot be used, or looks like a piece of a password. `libpq` is `PQlibVersion()`.
    static func check(_ parameters: [String: String], libpq: Int32) throws(PostgresError) {
        let ports = (parameters["port"] ?? "").split(separator: ",")
        guard ports.allSatisfy({ port in Int(port).map { (1...65_535).contains($0) } ?? false }) else {
            throw Self.refusal("a port is not a number from 1 to 65535; \(Self.unencodedPassword)")
        }
        let hosts = (parameters["host"] ?? "").split(separator: ",")
        let isPlain = hosts.allSatisfy { host in
            host.hasPrefix("/") || host.hasPrefix("@")
                || host.allSatisfy { $0.isLetter || $0.isNumber || "._-:%".contains($0) }
        }
        guard isPlain else {
            throw Self.refusal("a host has a character that no host name has; \(Self.unencodedPassword)")
        }
        if parameters["sslrootcert"] == "system", libpq < 160_000 {
            throw Self.refusal(
                """
                sslrootcert=system needs libpq 16, and this is libpq \(libpq / 10_000): write the path of a file of \
                certificates, such as sslrootcert=/etc/ssl/certs/ca-certificates.crt
                """)
        }
    }

    // MARK: libpq

    private static func parameters(_ text: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(text, &message) else {
            unsafe PQfreemem(message)
            return nil
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val { unsafe found[String(cString: keyword)] = String(cString: value) }
            unsafe option += 1
        }
        return found
    }

    /// The parameters that this libpq knows.
    private static func keywords() -> Set<String> {
        guard let defaults = unsafe PQconndefaults() else { return [] }
        defer { unsafe PQconninfoFree(defaults) }
        var found: Set<String> = []
        var option = unsafe defaults
        while let keyword = unsafe option.pointee.keyword {
            unsafe found.insert(String(cString: keyword))
            unsafe option += 1
        }
        return found
    }

    // MARK: What is wrong

    static let unencodedPassword = """
        in a password write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, & as %26, % as %25 and a space as %20
        """

    private static func refusal(_ message: String) -> PostgresError { PostgresError(.configuration, message) }

    /// Says what is wrong with `key=value` pairs. A word behind a password may be a piece of it, so it is not named.
    private static func problem(inPairs text: String) -> String {
        if let scheme = URLParts.foreignScheme(of: text) {
            return "the scheme \"\(scheme)\" is not libpq's: write postgresql://"
        }
        guard text.contains("=") else {
            return "the connection string is not in libpq's form, postgresql://USER:PASSWORD@HOST/DATABASE"
        }
        var words = UnknownWords(keywords: Self.keywords())
        for word in ConnectionPairs.keys(of: text) { words.meet(word) }
        return words.problem ?? "a parameter has no value; a value with a space stands in quotes: password='…'"
    }
}

/// Finds the first word that is no parameter of libpq, and says whether it may be shown.
struct UnknownWords {
    let keywords: Set<String>
    /// Whether a piece of the password may stand where parameters stand.
    var mayHoldSecret = false
    /// The sentence about the first unknown word.
    private(set) var problem: String?

    init(keywords: Set<String>) { self.keywords = keywords }

    mutating func meet(_ word: String) {
        if !self.keywords.contains(word), self.problem == nil {
            let version = PQlibVersion() / 10_000
            self.problem =
                self.isShowable(word)
                ? "the parameter \"\(word)\" is none of libpq \(version)'s: remove it"
                : "a parameter is none of libpq \(version)'s; \(ConnectionString.unencodedPassword)"
        }
        if word == "password" || word == "sslpassword" { self.mayHoldSecret = true }
    }

    /// A known word of another driver is no secret, wherever it stands.
    private func isShowable(_ word: String) -> Bool {
        if Self.others.contains(word) { return true }
        let isWord = word.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_") }
        return isWord && !word.isEmpty && word.utf8.count <= 40 && !self.mayHoldSecret
    }

    /// Parameters of Prisma, JDBC, asyncpg, pgx, SQLAlchemy, node-postgres, Doctrine and newer versions of libpq.
    private static let others: Set<String> = [
        "pgbouncer", "schema", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size",
        "prepared_statement_cache_size", "statement_cache_mode", "statement_cache_capacity", "sslaccept",
        "sslidentity", "currentSchema", "prepareThreshold", "loginTimeout", "socketTimeout", "tcpKeepAlive", "ssl",
        "sslfactory", "ApplicationName", "uselibpqcompat", "pool_size", "pool_mode", "pool_max_conns",
        "pool_min_conns", "max_overflow", "default_query_exec_mode", "TimeZone", "timezone", "search_path",
        "statement_timeout", "command_timeout", "server_settings", "async_fallback", "serverVersion", "charset",
        "encoding", "prepared_statements", "supa", "workaround", "load_balance_hosts", "require_auth", "sslcertmode",
        "sslnegotiation", "gssdelegation", "min_protocol_version", "max_protocol_version", "scram_client_key",
        "scram_server_key", "oauth_issuer", "oauth_client_id", "sslkeylogfile", "servicefile",
    ]
}
