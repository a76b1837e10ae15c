// SPDX-License-Identifier: Apache-2.0
// The network between one worker and the provider. It forwards bytes, and on command loses, holds or refuses them.

import NIOCore
import NIOPosix
import Synchronization

final class Relay: Sendable {
    enum Mode: String, Sendable {
        case open
        /// Bytes are lost in both directions, and connections stay open.
        case swallowsAll = "swallows all"
        /// Requests arrive, and their answers are lost.
        case swallowsAnswers = "swallows answers"
        /// Connections are taken, and nothing is forwarded. All of it arrives when the network heals, long after the
        /// sender has given up.
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
    }

    let port: Int
    fileprivate let provider: Int
    private let state = Mutex(State())

    init(port: Int, provider: Int) {
        self.port = port
        self.provider = provider
    }

    var mode: Mode { self.state.withLock { $0.mode } }
    /// Creates that reached the provider and whose answer was lost here.
    var unansweredCreates: Int { self.state.withLock { $0.unansweredCreates } }
    /// Creates that were held back here and arrived later.
    var heldCreates: Int { self.state.withLock { $0.heldCreates } }

    fileprivate func lostAnswer() { self.state.withLock { $0.unansweredCreates += 1 } }
    fileprivate func delivered(held count: Int) { self.state.withLock { $0.heldCreates += count } }

    /// Sets a mode for a while, and then opens the network again.
    func turn(_ mode: Mode, for time: Duration) {
        let turn = self.turn(mode)
        // Unstructured, because it ends by itself while the rounds go on. A later turn keeps its own mode.
        Task {
            try await Task.sleep(for: time)
            if self.state.withLock({ $0.turns }) == turn { self.turn(.open) }
        }
    }

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

private enum Direction { case request, answer }

/// One connection through the network, with both its ends on one event loop.
private final class RelayedConnection {
    private enum Piece {
        case bytes(ByteBuffer)
        case end
    }

    private let relay: Relay
    private let near: any Channel
    private var far: (any Channel)?
    /// Bytes that have come and not gone on, in their order.
    private var waiting: [(Piece, Direction)] = []
    /// Whether bytes have been lost. Later bytes would not fit the earlier ones, so they are lost too.
    private var isSpoiled = false
    /// Whether the last request that went on is a create without an answer.
    private var awaitsCreate = false
    /// Creates that wait because the network holds them.
    private var held = 0

    init(_ relay: Relay, _ near: any Channel) {
        self.relay = relay
        self.near = near
    }

    func connect() {
        let me = NIOLoopBound(self, eventLoop: self.near.eventLoop)
        ClientBootstrap(group: self.near.eventLoop)
            .channelInitializer { far in
                far.eventLoop.makeCompletedFuture {
                    try far.pipeline.syncOperations.addHandler(RelayHandler(me.value, .answer))
                }
            }
            .connect(host: "127.0.0.1", port: self.relay.provider)
            .whenComplete { result in
                switch result {
                case .success(let far):
                    me.value.far = far
                    me.value.goOn()
                // The provider is away.
                case .failure: me.value.near.close(promise: nil)
                }
            }
    }

    func came(_ bytes: ByteBuffer, _ direction: Direction) {
        if self.relay.mode == .holds, direction == .request, Self.isCreate(bytes) { self.held += 1 }
        self.waiting.append((.bytes(bytes), direction))
        self.goOn()
    }

    func ended(_ direction: Direction) {
        self.waiting.append((.end, direction))
        self.goOn()
    }

    /// Passes on the bytes that may go on, now or when the network heals.
    private func goOn() {
        let mode = self.relay.mode
        if mode == .refuses {
            self.near.close(promise: nil)
            self.far?.close(promise: nil)
            self.waiting = []
        }
        guard let far = self.far, !self.waiting.isEmpty else { return }
        if mode == .holds {
            let me = NIOLoopBound(self, eventLoop: self.near.eventLoop)
            self.near.eventLoop.scheduleTask(in: .milliseconds(20)) { me.value.goOn() }
            return
        }
        self.relay.delivered(held: self.held)
        self.held = 0
        for (piece, direction) in self.waiting {
            switch (piece, direction) {
            case (.bytes(let bytes), .request): self.pass(request: bytes, to: far, mode)
            case (.bytes(let bytes), .answer): self.pass(answer: bytes, mode)
            // The sender has gone, and its request arrives all the same.
            case (.end, .request): far.eventLoop.scheduleTask(in: .seconds(1)) { far.close(promise: nil) }
            case (.end, .answer): self.near.close(promise: nil)
            }
        }
        self.waiting = []
    }

    private func pass(request bytes: ByteBuffer, to far: any Channel, _ mode: Relay.Mode) {
        if mode == .swallowsAll { self.isSpoiled = true }
        guard !self.isSpoiled else { return }
        // A request's body may come by itself.
        if Self.isCreate(bytes) { self.awaitsCreate = true }
        far.writeAndFlush(bytes, promise: nil)
    }

    private func pass(answer bytes: ByteBuffer, _ mode: Relay.Mode) {
        if mode == .swallowsAll || mode == .swallowsAnswers { self.isSpoiled = true }
        defer { self.awaitsCreate = false }
        if !self.isSpoiled {
            self.near.writeAndFlush(bytes, promise: nil)
        } else if self.awaitsCreate {
            self.relay.lostAnswer()
        }
    }

    private static func isCreate(_ bytes: ByteBuffer) -> Bool {
        bytes.readableBytesView.starts(with: Array("POST ".utf8))
    }
}

/// Reads one end of a connection.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: RelayedConnection
    private let direction: Direction

    init(_ connection: RelayedConnection, _ direction: Direction) {
        self.connection = connection
        self.direction = direction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.connection.came(self.unwrapInboundIn(data), self.direction)
    }

    func channelInactive(context: ChannelHandlerContext) { self.connection.ended(self.direction) }

    /// A broken connection is no error here, because this network is made to break them.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
