// SPDX-License-Identifier: Apache-2.0
// The provider is spoken to with TLS 1.2 or later, so that nobody on the way can make it an older one.

import NIOCore
import NIOPosix
import Testing

@testable import Telnyx

@Suite struct TLSVersionTests {
    @Test func `the client offers TLS 1.2 and 1.3 and nothing older`() async throws {
        let (hellos, found) = AsyncStream<[UInt8]>.makeStream()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HelloCatcher(found))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await ScriptedClient.client("https://127.0.0.1:\(port)/v2") { client in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "notSent")
        }
        try await channel.close().get()
        found.finish()
        var hello: [UInt8] = []
        for await one in hellos {
            hello = one
            break
        }
        #expect(try Self.versions(offeredIn: hello) == [0x0304, 0x0303])
    }

    /// Reads the extension `supported_versions` (RFC 8446 section 4.2.1) of a record with a ClientHello.
    private static func versions(offeredIn record: [UInt8]) throws -> [UInt16] {
        var bytes = ByteBuffer(bytes: record)
        try #require(record.count > 43)
        // The record's head, the handshake's head, the old version and the random bytes.
        bytes.moveReaderIndex(forwardBy: 5 + 4 + 2 + 32)
        let sessionID: UInt8? = bytes.readInteger()
        bytes.moveReaderIndex(forwardBy: Int(try #require(sessionID)))
        let ciphers: UInt16? = bytes.readInteger()
        bytes.moveReaderIndex(forwardBy: Int(try #require(ciphers)))
        let compressions: UInt8? = bytes.readInteger()
        bytes.moveReaderIndex(forwardBy: Int(try #require(compressions)) + 2)
        while let (type, length) = bytes.readMultipleIntegers(as: (UInt16, UInt16).self),
            var data = bytes.readSlice(length: Int(length))
        {
            guard type == 43 else { continue }
            data.moveReaderIndex(forwardBy: 1)
            var versions: [UInt16] = []
            while let version = data.readInteger(as: UInt16.self) { versions.append(version) }
            return versions
        }
        return []
    }
}

/// Yields the first record of a connection and closes the connection.
private final class HelloCatcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let found: AsyncStream<[UInt8]>.Continuation
    private var bytes: [UInt8] = []

    init(_ found: AsyncStream<[UInt8]>.Continuation) { self.found = found }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.bytes += Array(self.unwrapInboundIn(data).readableBytesView)
        guard self.bytes.count >= 5 else { return }
        let length = Int(self.bytes[3]) << 8 + Int(self.bytes[4])
        guard self.bytes.count >= 5 + length else { return }
        self.found.yield(self.bytes)
        context.close(promise: nil)
    }
}
