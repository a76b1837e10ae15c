// SPDX-License-Identifier: Apache-2.0
// Keeps what the HTTP server says of its own end out of an operator's log: `Listener` throws the reason itself.

import Logging

/// Passes on every line, apart from the HTTP server's own errors. The server logs them only while it is cancelled,
/// because another part of the process has failed, and they would stand before that part's reason.
struct ListenerLog: LogHandler {
    private var handler: any LogHandler

    init(_ handler: any LogHandler) { self.handler = handler }

    /// Returns a logger whose lines go the way of `logger`'s.
    static func logger(_ logger: Logger) -> Logger { Logger(label: logger.label) { _ in Self(logger.handler) } }

    var logLevel: Logger.Level {
        get { self.handler.logLevel }
        set { self.handler.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { self.handler.metadata }
        set { self.handler.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.handler[metadataKey: key] }
        set { self.handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        if event.source == "HummingbirdCore" && event.level == .error && self.logLevel > .debug { return }
        self.handler.log(event: event)
    }
}
