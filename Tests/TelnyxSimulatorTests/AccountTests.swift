// SPDX-License-Identifier: Apache-2.0
// The simulator counts its requests, and survives a restart.

import Foundation
import NIOHTTP1
import TelnyxSimulator
import Testing

@Suite struct AccountTests {
    @Test func `every request is counted by its operation`() async throws {
        try await RunningSimulator.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\"")
            _ = try await provider.create("refused")
            for _ in 0..<3 { _ = try await provider.list("filter[name]=n") }
            _ = try await provider.ask(.GET, "\(RunningSimulator.path)/\(id)")
            _ = try await provider.ask(.POST, "\(RunningSimulator.path)/\(id)/token")
            _ = try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(id)")
            #expect(
                try await provider.ask(.GET, "/control/counts").body.contains(
                    "{\"create\":2,\"list\":3,\"retrieve\":1,\"update\":0,\"delete\":1,\"token\":1}"))
        }
    }

    @Test func `the simulator keeps its credentials and their counts across a restart`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var configuration = TelnyxSimulator.Configuration()
        configuration.stateFile = file
        var before = ""
        try await RunningSimulator.with(configuration) { provider in
            _ = try await provider.create("kept")
            let gone = try #require(try await provider.create("gone").text("id"))
            _ = try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(gone)")
            before = try await provider.list("").body + provider.names()
        }
        // A kill during a write leaves half a line. Its request was never answered.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"put\":{\"_0\":{\"id\":\"ha".utf8))
        try handle.close()
        try await RunningSimulator.with(configuration) { provider in
            let after = try await provider.list("").body + provider.names()
            #expect(after == before && after.contains("\"kept\""))
            _ = try await provider.create("next")
        }
        try await RunningSimulator.with(configuration) { provider in
            let last = try await provider.list("").body
            #expect(last.contains("\"next\""))
        }
    }
}
