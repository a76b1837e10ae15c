// SPDX-License-Identifier: Apache-2.0
// The simulator keeps credentials and refuses requests as the provider's documentation says.

import Foundation
import NIOHTTP1
import TelnyxSimulator
import Testing

@Suite struct CredentialTests {
    @Test func `a credential has the documented shape when created, read, listed and changed`() async throws {
        try await RunningSimulator.with { provider in
            let made = try await provider.create("n 1")
            #expect(made.status == 201 && made.text("record_type") == "credential" && made.text("name") == "n 1")
            #expect(made.text("resource_id") == "connection:1")
            #expect(made.text("sip_username")?.hasPrefix("gencred") == true && made.text("sip_password")?.count == 32)
            #expect(!made.body.contains("\"tag\"") && !made.body.contains("connection_id"))
            // One object mixes both date formats.
            #expect(made.text("created_at")?.count == 19 && made.text("expires_at")?.count == 19)
            #expect(made.text("updated_at")?.hasSuffix(".000Z") == true)
            let id = try #require(made.text("id"))
            let read = try await provider.ask(.GET, "\(RunningSimulator.path)/\(id)")
            #expect(read.status == 200 && read.text("sip_password") == made.text("sip_password"))
            let listed = try await provider.list("filter%5Bname%5D=n+1&filter[tag]=t&filter[status]=active")
            #expect(listed.status == 200 && listed.text("id") == id)
            #expect(listed.body.contains("\"total_pages\":1,\"total_results\":1"))
            let changed = try await provider.ask(.PATCH, "\(RunningSimulator.path)/\(id)", "{\"tag\":\"u\"}")
            #expect(changed.status == 200 && changed.text("sip_password") == made.text("sip_password"))
            #expect(try await provider.list("filter[tag]=t").body.contains("\"total_results\":0"))
            #expect(try await provider.list("filter[tag]=u").body.contains("\"total_results\":1"))
        }
    }

    @Test func `a delete returns the deleted credential, and every later call for it is a 404`() async throws {
        try await RunningSimulator.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            let first = try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(id)")
            #expect(first.status == 200 && first.text("id") == id)
            for method in [HTTPMethod.DELETE, .GET, .PATCH] {
                let again = try await provider.ask(
                    method, "\(RunningSimulator.path)/\(id)", method == .PATCH ? "{}" : "")
                #expect(again.status == 404 && again.text("code") == "10005")
            }
            #expect(try await provider.ask(.POST, "\(RunningSimulator.path)/\(id)/token").status == 404)
            #expect(try await provider.counts("n").contains("{\"n\":{\"creates\":1,\"deletes\":1}},\"live\":0"))
        }
    }

    @Test func `a full tag rejects creates until a delete frees a slot`() async throws {
        var configuration = TelnyxSimulator.Configuration()
        #expect(configuration.tagCapacity == 1000)
        configuration.tagCapacity = 3
        try await RunningSimulator.with(configuration) { provider in
            var last = ""
            for number in 1...3 {
                let made = try await provider.create("n\(number)")
                #expect(made.status == 201)
                last = made.text("id") ?? ""
            }
            #expect(try await provider.create("n4").status == 422)
            #expect(try await provider.create("n4", tag: "other").status == 201)
            _ = try await provider.ask(.DELETE, "\(RunningSimulator.path)/\(last)")
            #expect(try await provider.create("n5").status == 201)
        }
    }

    @Test func `pages hold every credential once, and wrong page parameters are refused`() async throws {
        try await RunningSimulator.with { provider in
            for number in 1...5 { _ = try await provider.create("n\(number)") }
            var names: [String?] = []
            for page in 1...5 {
                let reply = try await provider.list("page[size]=1&page[number]=\(page)")
                #expect(reply.body.contains("\"total_pages\":5,\"total_results\":5"))
                names.append(reply.text("name"))
            }
            #expect(names == ["n1", "n2", "n3", "n4", "n5"])
            #expect(try await provider.list("page[size]=1&page[number]=6").body.contains("\"data\":[]"))
            #expect(try await provider.list("page[size]=250").status == 200)
            let largest = "page[size]=1&page[number]=\(Int.max)"
            #expect(try await provider.list(largest).body.contains("\"data\":[]"))
            for bad in [
                "page[size]=251", "page[size]=0", "page[size]=x", "page[number]=0", "page[number]=x",
                "filter[connection_id]=1",
            ] {
                let refused = try await provider.list(bad)
                #expect(refused.status == 400 && refused.body.hasPrefix("{\"errors\":[{\"code\":"), "\(bad)")
            }
        }
    }

    @Test func `wrong keys and bodies are refused in the provider's error format`() async throws {
        var configuration = TelnyxSimulator.Configuration()
        configuration.apiKeys = ["right"]
        configuration.knownConnections = ["1"]
        try await RunningSimulator.with(configuration) { provider in
            for key in [nil, "wrong", ""] {
                let reply = try await provider.ask(.GET, RunningSimulator.path, key: key)
                #expect(reply.status == 401 && reply.text("code") == "10009")
            }
            let cases = [
                ("{", 400), ("[]", 400), ("{\"connection_id\":1}", 400), ("{}", 422), ("{\"connection_id\":\"\"}", 422),
                ("{\"connection_id\":\"x\"}", 422), ("{\"connection_id\":\"2\"}", 422),
            ]
            for (body, status) in cases {
                let reply = try await provider.ask(.POST, RunningSimulator.path, body, key: "right")
                #expect(reply.status == status && reply.text("title")?.isEmpty == false, "\(body)")
                #expect(reply.headers.first(name: "content-type") == "application/json")
            }
            #expect(try await provider.ask(.GET, "/control/counts", key: "right").body.contains("\"live\":0"))
        }
    }
}
