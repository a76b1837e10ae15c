// SPDX-License-Identifier: Apache-2.0
// Makes a connection: one address after another, the one that worked last first, each with a deadline of its own.

extension PostgresConnection {
    /// Connects to the first address whose server accepts and is of the kind that `target_session_attrs` asks for.
    ///
    /// Each address has `connectTimeout` to itself, so a silent first host costs that long and no more. The address
    /// that worked last is tried first, before any other host's name is looked up.
    /// Throws the last address's error. Cancelled here: the half-made connection is closed.
    package static func connect(_ configuration: PostgresConfiguration) async throws(PostgresError)
        -> PostgresConnection
    {
        var attempts = Attempts(configuration)
        var failure: PostgresError?
        while let target = try await attempts.next() {
            do throws(PostgresError) {
                let connection = try await Self.open(configuration, target)
                try await connection.begin(with: configuration.startScript)
                configuration.memory.works(target)
                return connection
            } catch {
                if error.code == .cancelled { throw error }
                failure = PostgresError(error.code, configuration.advised(error.message, at: target))
            }
        }
        throw failure ?? attempts.failure ?? PostgresError(.connectFailed, "no host to connect to")
    }

    /// Runs the script of a new session. Closes the connection when it fails.
    private func begin(with script: String?) async throws(PostgresError) {
        guard let script else { return }
        do throws(PostgresError) {
            try await self.script(script)
        } catch {
            self.close()
            throw error
        }
    }

    private static func open(
        _ configuration: PostgresConfiguration, _ target: PostgresConfiguration.Target
    ) async throws(PostgresError) -> PostgresConnection {
        guard let handle = PQConnection(starting: configuration.keywords(for: target)) else {
            throw PostgresError(.connectFailed, "libpq is out of memory")
        }
        let watch = Reactor.shared.watch()
        do throws(PostgresError) {
            try await Exchange(handle: handle, readiness: watch).connect(until: .now + configuration.connectTimeout)
            guard handle.setNonblocking() else { throw PostgresError(.connectFailed, handle.errorMessage) }
        } catch {
            watch.forget()
            throw error
        }
        return PostgresConnection(handle, watch, configuration, target)
    }
}
