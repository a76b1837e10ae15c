// SPDX-License-Identifier: Apache-2.0
// The network between two processes. It forwards bytes, and on command loses, holds or refuses them.

import NIOCore
import NIOPosix
import Synchronization

final class Relay: Sendable {
    /// Where a relay leads.
    enum Target: Sendable {
        /// A port of 127.0.0.1.
        case port(Int)
        /// The path of a Unix socket.
        case socket(String)

        /// How long the target does not hear that the sender has gone. An HTTP server would drop the request. A
        /// database's socket closes at once, because a dead process must lose its locks.
        var deafness: TimeAmount {
            switch self {
            case .port: .seconds(1)
            case .socket: .zero
            }
        }
    }

    enum Mode: String, Sendable {
        case open
        /// Bytes are lost in both directions, and connections stay open.
        case swallowsAll = "swallows all"
        /// Requests arrive, and their answers are lost.
        case swallowsAnswers = "swallows answers"
        /// Connections are taken and never closed, and nothing is forwarded. All of it arrives when the network heals,
        /// long after the sender has given up.
        case holds = "holds all"
        /// Nobody listens, and open connections are cut.
        case refuses
    }

    private struct State {
        var mode = Mode.open
        var turns = 0
        var listener: (any Channel)?
        var unansweredCreates = 0
        var heldCreates = 0
        var heldConnections = 0
        var cutConnections = 0
    }

    let port: Int
    let target: Target
    private let state = Mutex(State())

    init(port: Int, to target: Target) {
        self.port = port
        self.target = target
    }

    var mode: Mode { self.state.withLock { $0.mode } }
    /// Creates that reached the provider and whose answer was lost here.
    var unansweredCreates: Int { self.state.withLock { $0.unansweredCreates } }
    /// Creates that were held back here and arrived later.
    var heldCreates: Int { self.state.withLock { $0.heldCreates } }

    /// How often bytes of a connection were held back here.
    var heldConnections: Int { self.state.withLock { $0.heldConnections } }
    /// How often the connection was then cut, so that these bytes never arrived.
    var cutConnections: Int { self.state.withLock { $0.cutConnections } }

    func lostAnswer() { self.state.withLock { $0.unansweredCreates += 1 } }
    func delivered(held count: Int) { self.state.withLock { $0.heldCreates += count } }
    func holds() { self.state.withLock { $0.heldConnections += 1 } }
    func cutsHeld() { self.state.withLock { $0.cutConnections += 1 } }

    /// Sets a mode for a while, and then opens the network again. With `isCut` the connections whose bytes it held are
    /// cut before it opens.
    func turn(_ mode: Mode, for time: Duration, thenCut isCut: Bool = false) {
        let turn = self.turn(mode)
        // Unstructured, because it ends by itself while the rounds go on. A later turn keeps its own mode.
        Task {
            try await Task.sleep(for: time)
            guard self.isAt(turn) else { return }
            guard isCut else {
                self.turn(.open)
                return
            }
            let last = self.turn(.refuses)
            try await Task.sleep(for: .milliseconds(300))
            if self.isAt(last) { self.turn(.open) }
        }
    }

    private func isAt(_ turn: Int) -> Bool { self.state.withLock { $0.turns } == turn }

    /// Sets a mode. Returns the number of this turn.
    @discardableResult
    func turn(_ mode: Mode) -> Int {
        let (listener, turn) = self.state.withLock { state -> ((any Channel)?, Int) in
            state.mode = mode
            state.turns += 1
            guard mode == .refuses else { return (nil, state.turns) }
            defer { state.listener = nil }
            return (state.listener, state.turns)
        }
        listener?.close(promise: nil)
        return turn
    }

    /// Listens whenever it does not refuse, until cancelled.
    func run() async {
        while !Task.isCancelled {
            if self.state.withLock({ $0.listener == nil && $0.mode != .refuses }) {
                // The port may not be free yet, so this is tried again in a moment.
                let listener = try? await self.listen()
                self.state.withLock { $0.listener = listener }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func listen() async throws -> any Channel {
        try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { near in
                near.eventLoop.makeCompletedFuture {
                    let connection = RelayedConnection(self, near)
                    try near.pipeline.syncOperations.addHandler(RelayHandler(connection, .request))
                    connection.connect()
                }
            }
            .bind(host: "127.0.0.1", port: self.port).get()
    }
}

extension [Relay] {
    /// Returns the sum of one of their counts.
    func total(_ count: KeyPath<Relay, Int>) -> Int { self.reduce(0) { $0 + $1[keyPath: count] } }
}
