// SPDX-License-Identifier: Apache-2.0
// A sender's server of published keys, on this machine: a test's fetch asks it in place of the public internet.

import AsyncHTTPClient
import Foundation
import Intake
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

struct JWKSServer: Sendable {
    /// Asks this server for `/<host><path>` of an address.
    let fetch: JWKSCache.Fetch

    /// Serves these documents by their paths, and lends the server.
    static func with(_ documents: [String: [UInt8]], _ work: (JWKSServer) async throws -> Void) async throws {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Answering(documents))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(JWKSServer(fetch: Self.fetch(at: port))))
        } catch {
            outcome = .failure(error)
        }
        try await listener.close()
        try outcome.get()
    }

    private static func fetch(at port: Int) -> JWKSCache.Fetch {
        { address, limit in
            let path = URL(string: address.text)?.path ?? ""
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/\(address.host)\(path)")
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
            guard answer.status == .ok else { throw NoKeys() }
            return Array(buffer: try await answer.body.collect(upTo: limit))
        }
    }

    private struct NoKeys: Error {}

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let documents: [String: [UInt8]]
        private var path = ""

        init(_ documents: [String: [UInt8]]) { self.documents = documents }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): self.path = head.uri
            case .body: break
            case .end:
                let document = self.documents[self.path]
                let body = ByteBuffer(bytes: document ?? [])
                var head = HTTPResponseHead(version: .http1_1, status: document == nil ? .notFound : .ok)
                head.headers.add(name: "content-length", value: "\(body.readableBytes)")
                context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
