// SPDX-License-Identifier: Apache-2.0
// An HTTP proxy that opens a tunnel for each CONNECT, always to the same port of this machine.

import NIOCore
import NIOPosix
import Synchronization

final class TunnelProxy: Sendable {
    private let heads = Mutex<[String]>([])

    /// Everything that was said to the proxy itself, one text for each CONNECT.
    var seen: [String] { self.heads.withLock { $0 } }

    /// Lends a proxy and its port. Its tunnels lead to `port`, whatever their CONNECT names.
    static func with(to port: Int, _ work: (TunnelProxy, Int) async throws -> Void) async throws {
        let proxy = TunnelProxy()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NearEnd(proxy, port: port))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(proxy, channel.localAddress?.port ?? 0))
        } catch {
            outcome = .failure(error)
        }
        try await channel.close().get()
        try outcome.get()
    }

    fileprivate func note(_ head: String) { self.heads.withLock { $0.append(head) } }
}

/// The client's end of a tunnel: it reads the CONNECT, and then passes everything on.
private final class NearEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let proxy: TunnelProxy
    private let port: Int
    private var head = ""
    private var far: EventLoopFuture<any Channel>?

    init(_ proxy: TunnelProxy, port: Int) {
        self.proxy = proxy
        self.port = port
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        if let far { return far.whenSuccess { $0.writeAndFlush(bytes, promise: nil) } }
        self.head += String(buffer: bytes)
        guard self.head.hasSuffix("\r\n\r\n") else { return }
        self.proxy.note(self.head)
        let near = context.channel
        let far = ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FarEnd(near))
                }
            }
            .connect(host: "127.0.0.1", port: self.port)
        far.whenSuccess { _ in
            near.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"), promise: nil)
        }
        far.whenFailure { _ in near.close(promise: nil) }
        self.far = far
    }

    func channelInactive(context: ChannelHandlerContext) { self.far?.whenSuccess { $0.close(promise: nil) } }
}

/// The provider's end of a tunnel.
private final class FarEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let near: any Channel

    init(_ near: any Channel) { self.near = near }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.near.writeAndFlush(self.unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.near.close(promise: nil) }
}
