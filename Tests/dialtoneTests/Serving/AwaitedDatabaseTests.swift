// SPDX-License-Identifier: Apache-2.0
// `serve` before its database: it says that it waits, heeds a signal meanwhile, and ends when none comes in time.

import Foundation
import Glibc
import PrivatePostgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct AwaitedDatabaseTests {
    private static let waiting = "waiting for the database"

    @Test func `a process waits for its database, says so, and is ready when it comes`() async throws {
        try await ServerDesk.with { desk in
            try await desk.server.stop()
            let service = try RunningService.start(["--wait-for-database", "2m"], desk.environment)
            defer { service.process.terminate() }
            try await service.log.waits(for: Self.waiting)
            try await desk.server.startAgain()
            let line = try await service.ready()
            try await Wire.get("/readyz", at: try #require(line.listen), until: 200)
            #expect(await service.end(by: SIGTERM, within: .seconds(40)).code == 0)

            let lines = try await service.log.rest().split(separator: "\n").map {
                try JSONDecoder().decode(LogLine.self, from: Data($0.utf8))
            }
            // A server that boots refuses with another reason than one that is not there.
            let waits = lines.filter { $0.message == Self.waiting }
            #expect(Set(waits.map(\.error)).count == waits.count, "each reason is said once: \(waits)")
            #expect(waits.allSatisfy { $0.error != nil && $0.for_at_most != nil }, "\(waits)")
        }
    }

    private struct LogLine: Decodable {
        let message: String
        let error: String?
        let for_at_most: String?
    }

    /// What answers where the database should be: nobody, or a program that takes connections and stays silent.
    enum Absence: CaseIterable { case refused, silent }

    @Test(arguments: Absence.allCases, [SIGTERM, SIGINT])
    func `a signal ends a process that waits for its database`(absence: Absence, signal: Int32) async throws {
        let place = try SilentPlace(takesConnections: absence == .silent)
        defer { place.leave() }
        let service = try RunningService.start(["--wait-for-database", "2m"], Self.environment(place))
        defer { service.process.terminate() }
        try await service.log.waits(for: Self.waiting)
        let end = await service.end(by: signal, within: .seconds(40))
        #expect(end.code == 0 && end.after < .seconds(10), "\(end)")
        #expect(await service.log.rest().contains("stopped before the start"))
        #expect(await service.output.rest().isEmpty)
    }

    @Test(arguments: Absence.allCases)
    func `a wait without a database ends the process with 7 and its reason`(absence: Absence) async throws {
        let place = try SilentPlace(takesConnections: absence == .silent)
        defer { place.leave() }
        let service = try RunningService.start(["--wait-for-database", "1s"], Self.environment(place))
        defer { service.process.terminate() }
        #expect(await service.exitCode(within: .seconds(40)) == 7)
        let lines = await service.log.rest().split(separator: "\n")
        // An attempt at a silent place may take the whole wait. The last line then has the reason alone.
        if absence == .refused { #expect(lines.count { $0.contains(Self.waiting) } == 1, "\(lines)") }
        #expect(lines.last?.hasPrefix("dialtone: no connection to the database: ") == true, "\(lines)")
        #expect(!lines.contains { $0.contains("hunter2") })
        #expect(await service.output.rest().isEmpty)
    }

    private static func environment(_ place: SilentPlace) -> [String: String] {
        [
            "DATABASE_URL": "postgresql://app:hunter2@127.0.0.1:\(place.port)/x?connect_timeout=1&sslmode=disable",
            "DIALTONE_KEK": "env:KEK", "KEK": Data(repeating: 7, count: 32).base64EncodedString(),
            "TELNYX_API_KEY": "test-key", "DIALTONE_LISTEN": "127.0.0.1:0",
        ]
    }
}

/// A port of this machine at which no database answers.
private struct SilentPlace {
    let port: Int
    private let socket: Int32

    /// Without `takesConnections` the port is held and nobody listens there.
    init(takesConnections: Bool) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0
            } ? Int(pointer.pointee.sin_port.bigEndian) : 0
        }
        try #require(port != 0, "no port is free")
        if takesConnections { try #require(listen(socket, 16) == 0) }
        self.port = port
        self.socket = socket
    }

    func leave() { close(self.socket) }
}
