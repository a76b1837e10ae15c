// SPDX-License-Identifier: Apache-2.0
// This stand-in for Telnyx sends exactly the bytes that a test has written down, and records the requests.

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Takes the next step for each request, and repeats the last step when all are used up.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        /// Sends these bytes and keeps the connection open.
        case say(String)
        /// Sends these bytes, then closes the connection.
        case sayAndClose(String)
        case silence

        /// A complete response. `headers` are lines without CRLF.
        static func reply(_ status: Int, _ body: String = "", _ headers: [String] = []) -> Step {
            let lines = headers.map { "\($0)\r\n" }.joined()
            return .say("HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\n\(lines)\r\n\(body)")
        }
    }

    struct Seen: Sendable {
        let head: String
        let body: String
        let connection: Int

        var line: String { String(self.head.prefix { $0 != "\r\n" }) }
    }

    private struct State {
        var steps: [Step]
        var seen: [Seen] = []
        var connections = 0
    }

    private let state: Mutex<State>
    /// Yields one element for each request that has arrived in full.
    let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    private init(_ steps: [Step]) {
        self.state = Mutex(State(steps: steps))
        (self.arrivals, self.arrived) = AsyncStream.makeStream()
    }

    var seen: [Seen] { self.state.withLock { $0.seen } }

    /// Lends a server and its port. The server sends `greeting` as soon as a client connects, and speaks TLS with `tls`.
    static func with(
        _ steps: [Step], greeting: String? = nil, tls: NIOSSLContext? = nil,
        _ work: (ScriptedServer, Int) async throws -> Void
    ) async throws {
        let server = ScriptedServer(steps)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Conversation(server, greeting: greeting))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(server, channel.localAddress?.port ?? 0))
        } catch {
            outcome = .failure(error)
        }
        try await channel.close().get()
        try outcome.get()
    }

    /// Returns the number of a new connection.
    func connect() -> Int {
        self.state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    /// Records a request and returns the step for it.
    func take(_ seen: Seen) -> Step {
        let step = self.state.withLock { state in
            state.seen.append(seen)
            return state.steps.count > 1 ? state.steps.removeFirst() : state.steps[0]
        }
        self.arrived.yield()
        return step
    }
}
