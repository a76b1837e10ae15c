// SPDX-License-Identifier: Apache-2.0
// A log whose reader has stalled: ten thousand refused requests hold up nobody, and each is accounted for afterwards.

import Dispatch
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct StalledLogTests {
    private static let connections = 4
    private static let refusedOnEach = 2500

    @Test func `ten thousand refused requests and a stalled log stop nobody, and none is forgotten`() async throws {
        try await Desk.withSimulator { desk in
            let errors = Listener(isStalled: true)
            try Self.fill(errors.pipe.fileHandleForWriting.fileDescriptor)
            let (service, ready) = try await Desk.start(
                ["serve", "--roles", "api"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            let (address, status) = (try #require(ready["listen"]), try #require(ready["status"]))
            desk.environment["DIALTONE_PUBLIC_URL"] = address
            let source = try await desk.json("source", "create", "app", "--tenant", "acme")
            let url = try #require(source["url"] as? String)
            desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String

            let path = String(url.dropFirst(address.count))
            let refused = await withTaskGroup(of: Int.self) { group in
                for _ in 1...Self.connections { group.addTask { await Self.refusals(of: path, at: address) } }
                return await group.reduce(0, +)
            }
            #expect(refused == Self.connections * Self.refusedOnEach)
            for place in ["http://\(status)", address] {
                let probe = try Wire(to: place)
                probe.send("GET /healthz")
                #expect(probe.answer().hasPrefix("HTTP/1.1 200"), "\(place)")
            }
            try await desk.done("send", "--url", url, "--tenant", "acme", "--user", "u-1")

            errors.listen()
            #expect(await Desk.end(service, by: SIGTERM) == 0)
            let log = await errors.rest()
            #expect(Self.accounted(in: log) == refused, "\(log.suffix(2000))")
        }
    }

    /// Sends deliveries without a proof, one after the other on one connection. Returns how many were refused.
    private static func refusals(of path: String, at address: String) async -> Int {
        // On a thread of its own, because it waits for each answer and other tests need theirs.
        await withCheckedContinuation { (done: CheckedContinuation<Int, Never>) in
            DispatchQueue.global().async {
                guard let wire = try? Wire(to: address) else { return done.resume(returning: 0) }
                defer { wire.hangUp() }
                var refused = 0
                let request = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
                for _ in 1...Self.refusedOnEach where wire.exchange(request).hasPrefix("HTTP/1.1 401") { refused += 1 }
                done.resume(returning: refused)
            }
        }
    }

    /// Returns how many refusals the log knows: by a line, by the sum of a second, or among the lines that were dropped.
    private static func accounted(in log: String) -> Int {
        var sum = 0
        for line in log.split(separator: "\n") {
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
                let facts = object as? [String: Any]
            else { continue }
            switch facts["message"] as? String {
            case "request refused":
                let also = (facts["also"] as? String)?.prefix { $0.isNumber }
                sum += also.flatMap { Int($0) } ?? 1
            case "log lines were dropped": sum += (facts["lines"] as? String).flatMap { Int($0) } ?? 0
            default: break
            }
        }
        return sum
    }

    /// Fills a pipe, so that the next write to it waits.
    static func fill(_ descriptor: Int32) throws {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        let bytes = [UInt8](repeating: 10, count: 4096)
        while write(descriptor, bytes, bytes.count) > 0 {}
        try #require(errno == EAGAIN)
        _ = fcntl(descriptor, F_SETFL, flags)
    }
}
