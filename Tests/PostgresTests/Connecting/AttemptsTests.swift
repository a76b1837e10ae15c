// SPDX-License-Identifier: Apache-2.0
// A host's name is looked up when its turn has come, so that a name server that is silent holds up no host that works.

import Synchronization
import TestSupport
import Testing

@testable import Postgres

extension Attempts {
    /// Returns every address to try, as if none let us in.
    static func all(_ configuration: PostgresConfiguration) async throws -> [PostgresConfiguration.Target] {
        var attempts = Attempts(configuration)
        var targets: [PostgresConfiguration.Target] = []
        while let target = try await attempts.next() { targets.append(target) }
        return targets
    }
}

@Suite struct AttemptsTests {
    /// A name server that knows these names, and counts what it was asked.
    private final class Names: Sendable {
        private let known: [String: [String]]
        private let state = Mutex<[String]>([])

        init(_ known: [String: [String]]) { self.known = known }

        var asked: [String] { self.state.withLock { $0 } }

        func look(_ name: String) throws(PostgresError) -> [String] {
            self.state.withLock { $0.append(name) }
            guard let addresses = self.known[name] else { throw PostgresError(.connectFailed, "no \(name)") }
            return addresses
        }
    }

    private static func configuration(_ url: String, _ names: Names) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: url)
        configuration.resolve = { (name, _) async throws(PostgresError) in try names.look(name) }
        return configuration
    }

    @Test func `a name is looked up only when its host's turn has come`() async throws {
        let names = Names(["a": ["192.0.2.1"], "b": ["192.0.2.2"], "c": ["192.0.2.3"]])
        var attempts = Attempts(try Self.configuration("host=a,b,c", names))
        var asked: [[String]] = []
        while try await attempts.next() != nil { asked.append(names.asked) }
        #expect(asked == [["a"], ["a", "b"], ["a", "b", "c"]])
    }

    @Test func `only the name of the host that worked last is looked up before it is tried`() async throws {
        let names = Names(["b": ["192.0.2.2"]])
        let configuration = try Self.configuration("host=a,b,c", names)
        configuration.memory.works(.init(host: "b", address: "192.0.2.2", port: "5432", session: "read-write"))
        var attempts = Attempts(configuration)
        let first = try await attempts.next()
        #expect(first?.address == "192.0.2.2" && names.asked == ["b"])
        // It did not let us in. The others have their turn now, and it has none again.
        let second = try await attempts.next()
        #expect(second == nil && names.asked == ["b", "a", "c"])
    }

    /// A fail-over may move a name. The old address may then be a server that nobody should write to.
    @Test func `an address that its name no longer has is not tried`() async throws {
        let names = Names(["a": ["192.0.2.9"], "b": ["192.0.2.2", "192.0.2.3"]])
        let configuration = try Self.configuration("host=a,b", names)
        configuration.memory.works(.init(host: "a", address: "192.0.2.1", port: "5432", session: "read-write"))
        configuration.memory.isSilent(.init(host: "b", address: "192.0.2.2", port: "5432", session: "read-write"))
        #expect(try await Attempts.all(configuration).map(\.address) == ["192.0.2.9", "192.0.2.3", "192.0.2.2"])
    }

    @Test func `each name is looked up once, however many passes there are`() async throws {
        let names = Names(["a": ["192.0.2.1"]])
        let configuration = try Self.configuration("host=a,b target_session_attrs=prefer-standby", names)
        #expect(try await Attempts.all(configuration).map(\.session) == ["standby", "any"])
        #expect(names.asked == ["a", "b"])
    }

    @Test func `a connect that finds no address says which name does not resolve`() async throws {
        let configuration = try Self.configuration("host=a,b dbname=d", Names([:]))
        let error = await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.connect(configuration)
        }
        #expect(error?.code == .connectFailed && error?.message == "no b")
    }

    /// The second connect must not ask for the other host's name at all: nobody answers.
    @Test func `a connection to the host that worked last waits for no other host's name`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let names = Names([:])
            let url = database.url.replacing("host=", with: "host=silent.example,") + "&port=5432,5432"
            let configuration = try Self.configuration(url, names)
            for _ in 1...2 {
                let connection = try await PostgresConnection.connect(configuration)
                await connection.close()
                #expect(names.asked == ["silent.example"], "only the first connect does not know better")
            }
        }
    }
}
