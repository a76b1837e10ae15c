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

    @Test func `every list is counted by what it asks for`() async throws {
        try await RunningSimulator.with { provider in
            for query in ["filter[tag]=t&page[size]=1", "filter[tag]=t", "filter[name]=n", "page[number]=2", ""] {
                _ = try await provider.list(query)
            }
            let counts = try await provider.ask(.GET, "/control/counts").body
            #expect(counts.contains("\"lists\":{\"count\":1,\"tag\":1,\"name\":1,\"account\":2}"))
            #expect(!counts.contains("\"bytes\":0,"))
        }
    }

    @Test func `seeded credentials are listed by tag, by name and on the account's pages`() async throws {
        try await RunningSimulator.with { provider in
            let tags = "[{\"tag\":\"a\",\"credentials\":3},{\"tag\":\"b\",\"credentials\":2}]"
            let seed = "{\"connection_id\":\"1\",\"name_prefix\":\"p-\",\"tags\":\(tags)}"
            #expect(try await provider.ask(.POST, "/control/seed", seed).status == 200)
            #expect(try await provider.list("filter[tag]=b").body.contains("\"total_results\":2"))
            let fourth = "p-" + String(repeating: "0", count: 51) + "4"
            #expect(try await provider.list("filter[name]=\(fourth)").body.contains("000000000004\""))
            let page = try await provider.list("page[size]=2&page[number]=3").body
            #expect(page.contains("000000000005\"") && page.contains("\"total_pages\":3,\"total_results\":5"))
        }
    }

    @Test func `a page of the account leaves out what is gone and what lists do not show yet`() async throws {
        try await RunningSimulator.with { provider in
            _ = try await provider.create("first")
            let gone = try #require(try await provider.create("gone").text("id"))
            _ = try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(gone)")
            try await provider.fault("\"operation\":\"create\",\"kind\":\"list_lag\",\"milliseconds\":600000")
            _ = try await provider.create("lagging")
            try await provider.fault("\"operation\":\"token\",\"kind\":\"garbage\"")
            _ = try await provider.create("last")
            var pages: [String] = []
            for number in 1...3 { pages.append(try await provider.list("page[size]=1&page[number]=\(number)").body) }
            #expect(pages[0].contains("\"first\"") && pages[1].contains("\"last\"") && pages[2].contains("\"data\":[]"))
            #expect(pages[0].contains("\"total_results\":2"))
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
