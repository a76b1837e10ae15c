// SPDX-License-Identifier: Apache-2.0
// LISTEN on a connection of its own, for as long as the service runs. After each gap the caller is told to poll once.

/// Something a listener hears.
package enum PostgresHearing: Sendable, Equatable {
    /// LISTEN is in force now. Notifications sent before are lost, so poll once.
    case caughtUp
    case notification(PostgresNotification)
}

/// Listens on channels and reconnects for ever.
package struct PostgresListener: Sendable {
    private let configuration: PostgresConfiguration
    private let channels: [String]
    /// How often a silent connection is asked for a sign of life: a half-open socket never reports itself.
    private let keepAlive: Duration

    package init(_ configuration: PostgresConfiguration, channels: [String], keepAlive: Duration = .seconds(15)) {
        var configuration = configuration
        // Its statements are answered at once. A server that takes bytes and stays silent is given up.
        configuration.exchangeTimeout = configuration.exchangeTimeout ?? .seconds(15)
        self.configuration = configuration
        self.channels = channels
        self.keepAlive = keepAlive
    }

    /// Runs until the task is cancelled, and calls `hear` in order. Connects anew `retryAfter` after a lost connection.
    package func run(
        retryAfter: Duration = .seconds(1), _ hear: (PostgresHearing) async -> Void
    ) async {
        while !Task.isCancelled {
            // A failure here means "no hints for now": the callers poll anyway, so it is not worth more than a retry.
            try? await self.listen(hear)
            try? await Task.sleep(for: retryAfter)
        }
    }

    private func listen(_ hear: (PostgresHearing) async -> Void) async throws {
        let connection = try await PostgresConnection.connect(self.configuration)
        for channel in self.channels {
            _ = try await connection.query("listen \(unsafeText: Self.quoted(channel))")
        }
        await hear(.caughtUp)
        while true {
            let heard = try await connection.notifications(until: .now + self.keepAlive)
            for notification in heard { await hear(.notification(notification)) }
            if heard.isEmpty { _ = try await connection.query("select 1") }
        }
    }

    private static func quoted(_ identifier: String) -> String {
        "\"\(identifier.replacing("\"", with: "\"\""))\""
    }
}
