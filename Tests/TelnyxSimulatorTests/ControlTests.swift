// SPDX-License-Identifier: Apache-2.0
// The simulator's controls are for whoever has its key, and passwords are shown and kept with care.

import Foundation
import NIOHTTP1
import TelnyxSimulator
import Testing

@Suite struct ControlTests {
    private static let controls: [(HTTPMethod, String, String)] = [
        (.GET, "counts", ""), (.GET, "counts?name=n", ""), (.GET, "credentials", ""),
        (.GET, "credentials?secrets=1", ""), (.GET, "faults", ""), (.PUT, "faults", "{\"rules\":[]}"),
        (.DELETE, "faults", ""), (.POST, "clock", "{\"advance_seconds\":1}"),
        (.PUT, "limit", "{\"calls\":9,\"seconds\":1}"), (.DELETE, "limit", ""),
        (.POST, "seed", "{\"connection_id\":\"1\",\"name_prefix\":\"p\",\"tags\":[]}"),
    ]

    @Test func `every control asks for the key of a simulator that has one`() async throws {
        var configuration = TelnyxSimulator.Configuration()
        configuration.apiKeys = ["right"]
        try await RunningSimulator.with(configuration) { provider in
            for (method, path, body) in Self.controls {
                for key in [nil, "wrong", ""] {
                    let reply = try await provider.ask(method, "/control/\(path)", body, key: key)
                    #expect(reply.status == 401 && reply.text("code") == "10009", "\(method) \(path)")
                }
                #expect(try await provider.ask(method, "/control/\(path)", body, key: "right").status == 200)
            }
        }
    }

    @Test func `the controls of a simulator without a key are open`() async throws {
        try await RunningSimulator.with { provider in
            for (method, path, body) in Self.controls {
                let reply = try await provider.ask(method, "/control/\(path)", body, key: nil)
                #expect(reply.status == 200)
            }
        }
    }

    @Test func `a limit of calls is told in each reply, and ends in a 429`() async throws {
        try await RunningSimulator.with { provider in
            let limit = "{\"calls\":2,\"seconds\":100000000}"
            #expect(try await provider.ask(.PUT, "/control/limit", limit).status == 200)
            for (status, remaining) in [(200, "1"), (200, "0"), (429, "0")] {
                let reply = try await provider.ask(.GET, "/v2/telephony_credentials")
                #expect(reply.status == status && reply.headers.first(name: "x-ratelimit-remaining") == remaining)
                #expect(reply.headers.first(name: "x-ratelimit-limit") == "2")
            }
            #expect(try await provider.ask(.DELETE, "/control/limit").status == 200)
            #expect(try await provider.ask(.GET, "/v2/telephony_credentials").status == 200)
        }
    }

    @Test func `SIP passwords are shown only when they are asked for`() async throws {
        try await RunningSimulator.with { provider in
            _ = try await provider.create("n")
            for query in ["", "?secrets=0", "?secrets", "?secrets=true"] {
                let body = try await provider.ask(.GET, "/control/credentials\(query)").body
                #expect(body.contains("\"sip_username\"") && !body.contains("sip_password"), "\(query)")
            }
            #expect(try await provider.ask(.GET, "/control/credentials?secrets=1").body.contains("sip_password"))
        }
    }

    @Test func `only its owner may open the state file, also one of before`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var configuration = TelnyxSimulator.Configuration()
        configuration.stateFile = file
        for _ in 1...2 {
            try await RunningSimulator.with(configuration) { _ = try await $0.create("kept") }
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        }
    }
}
