// SPDX-License-Identifier: Apache-2.0
// One connection through a relay: its bytes in their order, and what the relay's mode does to them.

import NIOCore
import NIOPosix

enum Direction { case request, answer }

/// One connection through the network, with both its ends on one event loop.
final class RelayedConnection {
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
    /// Whether the network holds bytes of this connection.
    private var isHeld = false

    init(_ relay: Relay, _ near: any Channel) {
        self.relay = relay
        self.near = near
    }

    func connect() {
        let me = NIOLoopBound(self, eventLoop: self.near.eventLoop)
        let bootstrap = ClientBootstrap(group: self.near.eventLoop)
            .channelInitializer { far in
                far.eventLoop.makeCompletedFuture {
                    try far.pipeline.syncOperations.addHandler(RelayHandler(me.value, .answer))
                }
            }
        let connecting: EventLoopFuture<any Channel>
        switch self.relay.target {
        case .port(let port): connecting = bootstrap.connect(host: "127.0.0.1", port: port)
        case .socket(let path): connecting = bootstrap.connect(unixDomainSocketPath: path)
        }
        connecting.whenComplete { result in
            switch result {
            case .success(let far):
                me.value.far = far
                me.value.goOn()
            // The target is away.
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
            if self.isHeld { self.relay.cutsHeld() }
            self.isHeld = false
        }
        guard let far = self.far, !self.waiting.isEmpty else { return }
        if mode == .holds {
            if !self.isHeld { self.relay.holds() }
            self.isHeld = true
            let me = NIOLoopBound(self, eventLoop: self.near.eventLoop)
            self.near.eventLoop.scheduleTask(in: .milliseconds(20)) { me.value.goOn() }
            return
        }
        self.relay.delivered(held: self.held)
        self.held = 0
        self.isHeld = false
        for (piece, direction) in self.waiting {
            switch (piece, direction) {
            case (.bytes(let bytes), .request): self.pass(request: bytes, to: far, mode)
            case (.bytes(let bytes), .answer): self.pass(answer: bytes, mode)
            // The sender has gone, and its request arrives all the same.
            case (.end, .request):
                far.eventLoop.scheduleTask(in: self.relay.target.deafness) { far.close(promise: nil) }
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
final class RelayHandler: ChannelInboundHandler {
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
