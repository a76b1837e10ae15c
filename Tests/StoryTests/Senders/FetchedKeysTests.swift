// SPDX-License-Identifier: Apache-2.0
// Published keys are fetched from the address that was judged, where all addresses of the name are public.

import Foundation
import Intake
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Composition

@Suite struct FetchedKeysTests {
    private static let limit = 65_536

    @Test(arguments: [
        ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "8.8.4.4", "169.254.169.254"], ["127.0.0.1"],
        ["2001:4860:4860::8888", "::1"], ["8.8.8.8", "fe80::1%1"], ["8.8.8.8", "::ffff:8.8.8.8"],
        ["8.8.8.8", "fd00::1"], ["8.8.8.8", "not an address"], ["8.8.8.8", "2130706433"], ["8.8.8.8", ""],
    ])
    func `a name that leads inside with one of its addresses is not asked`(found: [String]) async throws {
        let keys = PublishedKeys(logger: Story.quiet, lookUp: { _ in found })
        let address = try JWKSAddress("https://keys.invalid/", at: "jwks")
        await #expect(throws: PublishedKeys.Failure.notPublic) {
            try await keys.document(at: address, maximumBytes: Self.limit)
        }
    }

    @Test func `a name without an address is not asked`() async throws {
        struct Unknown: Error {}
        let address = try JWKSAddress("https://keys.invalid/", at: "jwks")
        for lookUp in [{ _ in [] }, { _ in throw Unknown() }] as [@Sendable (String) async throws -> [String]] {
            let keys = PublishedKeys(logger: Story.quiet, lookUp: lookUp)
            await #expect(throws: PublishedKeys.Failure.unknownName) {
                try await keys.document(at: address, maximumBytes: Self.limit)
            }
        }
    }

    /// The name is looked up once, and never by the client: it leads nowhere. A second answer would lead elsewhere.
    @Test(arguments: ["keys.invalid", "Keys.INVALID", "keys.invalid."])
    func `the address that was judged is connected to, and a query is not logged`(host: String) async throws {
        let asked = Mutex<[String]>([])
        let lines = LogLines()
        let hello = try await Self.hello { port in
            let keys = PublishedKeys(
                logger: lines.logger,
                lookUp: { name in
                    let count = asked.withLock { asked in
                        asked.append(name)
                        return asked.count
                    }
                    return count == 1 ? ["127.0.0.1"] : ["127.0.0.2"]
                },
                isPublic: { $0 == "127.0.0.1" })
            let address = try JWKSAddress("https://\(host):\(port)/keys?token=hunter2", at: "jwks")
            await #expect(throws: (any Error).self) {
                try await keys.document(at: address, maximumBytes: Self.limit)
            }
        }
        // The greeting of TLS holds the name for which the certificate must be.
        #expect(hello.lowercased().contains("keys.invalid"))
        #expect(asked.withLock { $0 } == [host])
        let line = try #require(lines.all.first { $0.text.contains("could not be fetched") })
        #expect(line.text.contains("https://\(host):") && line.text.contains("/keys"))
        #expect(!lines.all.contains { $0.text.contains("hunter2") || $0.text.contains("token") })
    }

    /// Listens for one connection, and returns the first bytes that came. The connection is closed then.
    private static func hello(_ work: (_ port: Int) async throws -> Void) async throws -> String {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = try #require(listener.channel.localAddress?.port)
        let (hellos, hello) = AsyncStream<String>.makeStream()
        try await listener.executeThenClose { connections in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await connection in connections {
                        try await connection.executeThenClose { bytes, _ in
                            for try await bytes in bytes {
                                hello.yield(String(decoding: bytes.readableBytesView, as: UTF8.self))
                                break
                            }
                        }
                    }
                }
                try await work(port)
                group.cancelAll()
            }
        }
        hello.finish()
        return try #require(await hellos.first { _ in true })
    }
}
