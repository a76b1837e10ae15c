// SPDX-License-Identifier: Apache-2.0
// Serves a router at one address: the public one, or the one for probes and scrapes.

import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import Model
import NIOCore

struct Listener: Sendable {
    let host: String
    /// 0 lets the system pick one.
    let port: Int
    /// The setting that names the address, where it is not the main one.
    var setting: String?
    /// Connections that may be open; more wait to be accepted.
    let maximumConnections: Int
    /// Connections that the system keeps until they are accepted.
    var backlog = 256
    let logger: Logger
    /// Gets the port as soon as requests are answered.
    let onReady: @Sendable (Int) async -> Void

    /// Serves until graceful shutdown. Then it takes no more connections and finishes the requests under way.
    ///
    /// Throws `CannotListen`, which names the setting, when the address cannot be had.
    func run(_ router: Router<WebContext>, server: HTTPServerBuilder) async throws {
        let onReady = self.onReady
        // Hummingbird and NIO tell much of single connections.
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        let application = Application(
            router: router, server: server,
            configuration: .init(
                address: .hostname(self.host, port: self.port), backlog: self.backlog,
                availableConnectionsDelegate: .maximum(self.maximumConnections, logger: quiet)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: ListenerLog.logger(quiet))
        do {
            try await application.run()
        } catch let error as IOError where [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(error.errnoCode) {
            throw CannotListen(
                host: self.host, port: self.port, setting: self.setting, String(cString: strerror(error.errnoCode)))
        }
    }
}
