// SPDX-License-Identifier: Apache-2.0
// Where the database is: a libpq connection string that the environment of the process cannot change.

import CLibpq
import Glibc

/// A parsed connection string (34.1.1: `postgresql://…` or `key=value …`). It may name several hosts.
package struct PostgresConfiguration: Sendable {
    /// libpq's own parameters as the string gave them.
    private var parameters: [String: String]
    /// Shared by all copies: a connection that has met a dead host spares the others the wait.
    let memory = HostMemory()

    /// Returns the connection string as it is at this moment; asked before each attempt. Nil: it never changes.
    ///
    /// Only `user` and `password` are taken from it. An operator may change them while the process runs.
    package var currentURL: (@Sendable () -> String)?

    /// Looks a host's name up within a time: every address, numeric, the best one first. Throws when there is none.
    var resolve: @Sendable (String, Duration) async throws(PostgresError) -> [String] = {
        (host, limit) async throws(PostgresError) in try await Resolver.addresses(of: host, within: limit)
    }

    /// The name that `pg_stat_activity` shows.
    package var applicationName = "dialtone"
    /// The time for one attempt at one address: the string's `connect_timeout`. libpq itself ignores it on the
    /// asynchronous path (34.1.2).
    package var connectTimeout: Duration = .seconds(5)
    /// The time for one exchange, its COMMIT included; nil means no limit.
    ///
    /// A server that takes bytes and stays silent must not hold its caller for ever. The server's `statement_timeout`
    /// does not cover the wait for a standby. This time must be longer than that setting.
    package var exchangeTimeout: Duration?
    /// Server settings sent at start-up (`-c name=value`).
    package var settings: [String: String] = [:]
    /// Statements that each new session runs first; nil for none. Unlike `settings` they also hold where a pooler in
    /// session mode stands before the server: it takes no options at the start.
    package var startScript: String?
    /// Whether statements used more than once are prepared. Must be off behind a pooler in transaction mode.
    package var preparesStatements = true
    /// Whether what answers is a pooler in transaction mode, which says of a server what it heard when it first met one.
    ///
    /// It passes on `default_transaction_read_only` from that moment, also long after a read-only spell. So the last
    /// host to be tried is taken whatever is said of it, unless the string asks for a kind of session itself.
    package var isPooled = false

    /// Parses the string. Throws `.configuration` with a text that names what is wrong and quotes no value.
    package init(url: String) throws(PostgresError) {
        self.parameters = try ConnectionString.parse(url)
        if let seconds = self.parameters["connect_timeout"].flatMap({ Int($0) }), seconds > 0 {
            self.connectTimeout = .seconds(seconds)
        }
    }

    package var user: String? { self.parameters["user"] }
    package var database: String? { self.parameters["dbname"] }
    /// The hosts by name, for a log line. It never holds the password.
    package var hosts: String { self.parameters["host"] ?? self.parameters["hostaddr"] ?? "local socket" }
    /// The hosts' ports as the string gives them; nil when it gives none.
    package var ports: String? { self.parameters["port"] }

    var sslMode: String? { self.parameters["sslmode"] }
    var hasRootCertificate: Bool { self.parameters["sslrootcert"] != nil }

    /// The longest time that one connect takes, when no name has more than two addresses.
    var longestConnect: Duration {
        let hosts = Self.list(self.parameters["host"] ?? self.parameters["hostaddr"])
        let steps = hosts.reduce(0) { sum, host in
            sum + (host.contains { $0.isLetter } && !host.hasPrefix("/") && !host.hasPrefix("@") ? 3 : 1)
        }
        return self.connectTimeout * max(1, steps) * self.sessions.count
    }

    /// The kinds of session to ask for, one pass over all hosts for each.
    ///
    /// Unlike libpq's, the default is `read-write`: a session on a standby or a read-only server would serve for as
    /// long as it lives, and refuse every write.
    var sessions: [String] {
        guard let wanted = self.parameters["target_session_attrs"] else { return self.usualSessions }
        return wanted == "prefer-standby" ? ["standby", "any"] : [wanted]
    }

    private var usualSessions: [String] {
        guard self.isPooled else { return ["read-write"] }
        let hosts = Self.list(self.parameters["host"] ?? self.parameters["hostaddr"])
        return hosts.count > 1 ? ["read-write", "any"] : ["any"]
    }

    /// Returns the configuration of another database on the same server.
    package func with(database: String) -> Self {
        var other = self
        other.parameters["dbname"] = database
        return other
    }

    /// Planner settings for a service that finds every row by its key: nested loops over indexes, planned once.
    ///
    /// A plan that is cached while a table is nearly empty would otherwise read the whole table for each batch. It
    /// would last until the next ANALYZE, a minute later. `jit` is off because a discouraged sequential scan is priced
    /// high enough to call for it.
    package static let keyLookups = [
        "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off",
        "plan_cache_mode": "force_generic_plan",
    ]

    /// Removes libpq's variables (PGHOST, PGPASSWORD, PGSERVICE, …) from the environment, so that it cannot redirect
    /// the process. Must be called before any other thread may read the environment.
    package static func closeEnvironment() {
        guard let defaults = unsafe PQconndefaults() else { return }
        defer { unsafe PQconninfoFree(defaults) }
        var option = unsafe defaults
        while unsafe option.pointee.keyword != nil {
            if let name = unsafe option.pointee.envvar { unsafe Self.remove(name) }
            unsafe option += 1
        }
        for name in ["PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR"] { unsafe unsetenv(name) }
    }

    /// Overwrites the value first: /proc/PID/environ shows the strings that execve(2) has put there, also after
    /// unsetenv(3).
    private static func remove(_ name: UnsafePointer<CChar>) {
        if let value = unsafe getenv(name) { unsafe memset(value, 0, strlen(value)) }
        unsafe unsetenv(name)
    }

    /// One attempt: one host, at one of its addresses.
    struct Target: Equatable {
        var host: String?
        var address: String?
        var port: String
        /// What `target_session_attrs` is for this attempt.
        var session: String
    }

    /// One host of the string, before its name is looked up.
    struct Place: Equatable {
        /// A name, a numeric address, or the folder of a socket; nil or empty for libpq's own.
        var host: String?
        /// The string's `hostaddr`, which spares the look-up.
        var address: String?
        var port: String

        /// The name to look up; nil for a socket and where the address is given.
        var name: String? {
            guard self.address == nil, let host, !host.isEmpty, !host.hasPrefix("/"), !host.hasPrefix("@") else {
                return nil
            }
            return host
        }
    }

    /// The hosts of the string, in its order.
    var places: [Place] {
        let hosts = Self.list(self.parameters["host"])
        let addresses = Self.list(self.parameters["hostaddr"])
        let ports = Self.list(self.parameters["port"])
        return (0..<max(hosts.count, addresses.count, 1)).map { number in
            let port = ports.indices.contains(number) ? ports[number] : ports.first ?? ""
            let address = addresses.indices.contains(number) && !addresses[number].isEmpty ? addresses[number] : nil
            return Place(
                host: hosts.indices.contains(number) ? hosts[number] : nil, address: address,
                port: port.isEmpty ? "5432" : port)
        }
    }

    /// Returns the keywords of one attempt. Each keyword that libpq would otherwise look up elsewhere has a value.
    func keywords(for target: Target) -> [(keyword: String, value: String)] {
        var all = self.parameters
        if let now = self.currentURL.flatMap({ try? ConnectionString.parse($0()) }) {
            for name in ["user", "password"] { all[name] = now[name] }
        }
        for name in ["host", "hostaddr", "port", "target_session_attrs"] { all[name] = nil }
        all["host"] = target.host
        all["hostaddr"] = target.address
        all["port"] = target.port
        all["target_session_attrs"] = target.session
        all["client_encoding"] = "UTF8"
        all["fallback_application_name"] = self.applicationName
        all["gssencmode"] = all["gssencmode"] ?? "disable"
        // This path cannot exist. Without one libpq looks in the home folder, and about /dev/null it prints a warning.
        all["passfile"] = all["passfile"] ?? "/dev/null/no-passfile"
        all["tcp_user_timeout"] = all["tcp_user_timeout"] ?? "15000"
        for (name, value) in [("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3")] {
            all[name] = all[name] ?? value
        }
        all["sslmode"] = all["sslmode"] ?? (self.isLocal(target) ? "prefer" : "verify-full")
        let settings = self.settings.sorted { $0.key < $1.key }.map { name, value in
            "-c \(name)=\(value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ "))"
        }
        if !settings.isEmpty { all["options"] = ([all["options"]].compactMap { $0 } + settings).joined(separator: " ") }
        return all.sorted { $0.key < $1.key }.map { (keyword: $0.key, value: $0.value) }
    }

    /// Whether the target is a Unix socket or this machine, where nothing on the way can listen. Any other server must
    /// prove its identity.
    func isLocal(_ target: Target) -> Bool {
        guard let address = target.address else { return true }
        return address.hasPrefix("127.") || address == "::1"
    }

    private static func list(_ text: String?) -> [String] {
        text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }
}
