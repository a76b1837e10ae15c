// SPDX-License-Identifier: Apache-2.0
// The simulator responds as the provider's documentation says, fails as it is told to, and counts its requests.

import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TelnyxSimulator
import Testing

/// A running simulator and an HTTP client for it.
private struct Provider {
    struct Reply {
        let status: Int
        let headers: HTTPHeaders
        let body: String

        /// Returns the first value of a member of that name. This suffices for flat objects of strings.
        func text(_ member: String) -> String? {
            self.body.split(separator: "\"\(member)\":\"", maxSplits: 1).dropFirst().first
                .map { String($0.prefix { $0 != "\"" }) }
        }
    }

    let url: String
    let http: HTTPClient

    static let path = "/v2/telephony_credentials"

    static func with(
        _ configuration: TelnyxSimulator.Configuration = .init(), _ work: (Provider) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (ports, port) = AsyncStream<Int>.makeStream()
        let simulator = try TelnyxSimulator(configuration: configuration, logger: logger) { port.yield($0) }
        let services = ServiceGroup(services: [simulator], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let number = try #require(await ports.first { _ in true })
            let provider = Provider(url: "http://127.0.0.1:\(number)", http: HTTPClient())
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(provider))
            } catch {
                outcome = .failure(error)
            }
            try await provider.http.shutdown()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    func ask(_ method: HTTPMethod, _ path: String, _ body: String = "", key: String? = "any") async throws -> Reply {
        var request = HTTPClientRequest(url: self.url + path)
        request.method = method
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let answer = try await self.http.execute(request, timeout: .seconds(20))
        return Reply(
            status: Int(answer.status.code), headers: answer.headers,
            body: String(buffer: try await answer.body.collect(upTo: 1 << 22)))
    }

    func create(_ name: String, tag: String = "t", expires: String? = nil) async throws -> Reply {
        let expiry = expires.map { ",\"expires_at\":\"\($0)\"" } ?? ""
        return try await self.ask(
            .POST, Self.path, "{\"connection_id\":\"1\",\"name\":\"\(name)\",\"tag\":\"\(tag)\"\(expiry)}")
    }

    func list(_ query: String) async throws -> Reply { try await self.ask(.GET, "\(Self.path)?\(query)") }

    func fault(_ rule: String) async throws {
        let reply = try await self.ask(.PUT, "/control/faults", "{\"rules\":[{\(rule)}]}")
        #expect(reply.status == 200)
    }

    /// Returns the counts of creates and deletes by name. The counts before them do not survive a restart.
    func names() async throws -> String {
        let counts = try await self.ask(.GET, "/control/counts").body
        return counts.range(of: "\"names\"").map { String(counts[$0.lowerBound...]) } ?? counts
    }

    func counts(_ name: String) async throws -> String { try await self.ask(.GET, "/control/counts?name=\(name)").body }
}

@Suite struct TelnyxSimulatorTests {
    @Test func `a credential has the documented shape when created, read, listed and changed`() async throws {
        try await Provider.with { provider in
            let made = try await provider.create("n 1")
            #expect(made.status == 201 && made.text("record_type") == "credential" && made.text("name") == "n 1")
            #expect(made.text("resource_id") == "connection:1")
            #expect(made.text("sip_username")?.hasPrefix("gencred") == true && made.text("sip_password")?.count == 32)
            #expect(!made.body.contains("\"tag\"") && !made.body.contains("connection_id"))
            // One object mixes both date formats.
            #expect(made.text("created_at")?.count == 19 && made.text("expires_at")?.count == 19)
            #expect(made.text("updated_at")?.hasSuffix(".000Z") == true)
            let id = try #require(made.text("id"))
            let read = try await provider.ask(.GET, "\(Provider.path)/\(id)")
            #expect(read.status == 200 && read.text("sip_password") == made.text("sip_password"))
            let listed = try await provider.list("filter%5Bname%5D=n+1&filter[tag]=t&filter[status]=active")
            #expect(listed.status == 200 && listed.text("id") == id)
            #expect(listed.body.contains("\"total_pages\":1,\"total_results\":1"))
            let changed = try await provider.ask(.PATCH, "\(Provider.path)/\(id)", "{\"tag\":\"u\"}")
            #expect(changed.status == 200 && changed.text("sip_password") == made.text("sip_password"))
            #expect(try await provider.list("filter[tag]=t").body.contains("\"total_results\":0"))
            #expect(try await provider.list("filter[tag]=u").body.contains("\"total_results\":1"))
        }
    }

    @Test func `a delete returns the deleted credential, and every later call for it is a 404`() async throws {
        try await Provider.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            let first = try await provider.ask(.DELETE, "\(Provider.path)/\(id)")
            #expect(first.status == 200 && first.text("id") == id)
            for method in [HTTPMethod.DELETE, .GET, .PATCH] {
                let again = try await provider.ask(method, "\(Provider.path)/\(id)", method == .PATCH ? "{}" : "")
                #expect(again.status == 404 && again.text("code") == "10005")
            }
            #expect(try await provider.ask(.POST, "\(Provider.path)/\(id)/token").status == 404)
            #expect(try await provider.counts("n").contains("{\"n\":{\"creates\":1,\"deletes\":1}},\"live\":0"))
        }
    }

    @Test func `a full tag rejects creates until a delete frees a slot`() async throws {
        var configuration = TelnyxSimulator.Configuration()
        #expect(configuration.tagCapacity == 1000)
        configuration.tagCapacity = 3
        try await Provider.with(configuration) { provider in
            var last = ""
            for number in 1...3 {
                let made = try await provider.create("n\(number)")
                #expect(made.status == 201)
                last = made.text("id") ?? ""
            }
            #expect(try await provider.create("n4").status == 422)
            #expect(try await provider.create("n4", tag: "other").status == 201)
            _ = try await provider.ask(.DELETE, "\(Provider.path)/\(last)")
            #expect(try await provider.create("n5").status == 201)
        }
    }

    @Test func `pages hold every credential once, and wrong page parameters are refused`() async throws {
        try await Provider.with { provider in
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
        try await Provider.with(configuration) { provider in
            for key in [nil, "wrong", ""] {
                let reply = try await provider.ask(.GET, Provider.path, key: key)
                #expect(reply.status == 401 && reply.text("code") == "10009")
            }
            let cases = [
                ("{", 400), ("[]", 400), ("{\"connection_id\":1}", 400), ("{}", 422), ("{\"connection_id\":\"\"}", 422),
                ("{\"connection_id\":\"x\"}", 422), ("{\"connection_id\":\"2\"}", 422),
            ]
            for (body, status) in cases {
                let reply = try await provider.ask(.POST, Provider.path, body, key: "right")
                #expect(reply.status == status && reply.text("title")?.isEmpty == false, "\(body)")
                #expect(reply.headers.first(name: "content-type") == "application/json")
            }
            #expect(try await provider.ask(.GET, "/control/counts").body.contains("\"live\":0"))
        }
    }

    @Test func `a login token is plain text and does not outlive its credential`() async throws {
        try await Provider.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            let token = try await provider.ask(.POST, "\(Provider.path)/\(id)/token")
            #expect(token.status == 201 && token.headers.first(name: "content-type")?.hasPrefix("text/plain") == true)
            let claims = try Self.claims(token.body)
            #expect(claims.exp - claims.iat == 86_400)
            let soon = Date(timeIntervalSinceNow: 600)
            let text = String(soon.formatted(.iso8601).dropLast())
            let short = try #require(try await provider.create("short", expires: text).text("id"))
            let second = try await provider.ask(.POST, "\(Provider.path)/\(short)/token")
            #expect(try Self.claims(second.body).exp == soon.timeIntervalSince1970.rounded(.down))
        }
    }

    private struct Claims: Decodable {
        var exp: Double
        var iat: Double
    }

    private static func claims(_ token: String) throws -> Claims {
        let parts = token.split(separator: ".")
        #expect(parts.count == 3)
        var text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return try JSONDecoder().decode(Claims.self, from: try #require(Data(base64Encoded: String(text))))
    }

    @Test func `an expired credential gives no token and takes no change, but can be deleted`() async throws {
        try await Provider.with { provider in
            let soon = String(Date(timeIntervalSinceNow: 600).formatted(.iso8601).dropLast())
            let id = try #require(try await provider.create("n", expires: soon).text("id"))
            #expect(try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":700}").status == 200)
            let token = try await provider.ask(.POST, "\(Provider.path)/\(id)/token")
            #expect(token.text("code") == "55001" && (400..<500).contains(token.status))
            let patch = try await provider.ask(.PATCH, "\(Provider.path)/\(id)", "{\"name\":\"m\"}")
            #expect(patch.body == "{\"errors\":{\"status\":\"can't update credentials in expired status\"}}")
            #expect(try await provider.list("filter[status]=expired").text("id") == id)
            #expect(try await provider.list("filter[status]=active").body.contains("\"data\":[]"))
            #expect(try await provider.ask(.DELETE, "\(Provider.path)/\(id)").status == 200)
        }
    }

    @Test func `a create whose reply is lost leaves a credential behind`() async throws {
        try await Provider.with { provider in
            try await provider.fault("\"operation\":\"create\",\"kind\":\"drop_after_commit\",\"times\":1")
            await #expect(throws: (any Error).self) { _ = try await provider.create("lost") }
            #expect(try await provider.counts("lost").contains("\"creates\":1"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"error_after_commit\",\"times\":1")
            #expect(try await provider.create("failed").status == 500)
            #expect(try await provider.counts("failed").contains("\"creates\":1"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"garbage\",\"times\":1")
            let garbage = try await provider.create("garbage")
            #expect(garbage.status == 201 && garbage.body.hasPrefix("<html>"))
            #expect(try await provider.counts("garbage").contains("\"creates\":1"))
            // Each rule applied to one call.
            #expect(try await provider.create("fine").status == 201)
        }
    }

    @Test func `a refused create leaves no credential behind`() async throws {
        try await Provider.with { provider in
            try await provider.fault("\"operation\":\"any\",\"kind\":\"empty_500\",\"times\":1")
            let empty = try await provider.create("n")
            #expect(empty.status == 500 && empty.body.isEmpty)
            try await provider.fault("\"operation\":\"create\",\"kind\":\"status\",\"status\":409,\"times\":1")
            #expect(try await provider.create("n").status == 409)
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"times\":1")
            let limited = try await provider.create("n")
            #expect(limited.status == 429 && limited.text("code") == "10011")
            #expect(limited.headers.first(name: "x-ratelimit-reset") == "7")
            #expect(limited.headers.first(name: "retry-after") == nil)
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"reset\":\"epoch\"")
            let epoch = try await provider.create("n").headers.first(name: "x-ratelimit-reset").flatMap(Double.init)
            #expect((epoch ?? 0) > Date().timeIntervalSince1970)
            for (reset, isRight) in [
                ("epoch_ms", { $0 > Date().timeIntervalSince1970 * 1000 }),
                ("past", { $0 < Date().timeIntervalSince1970 }),
            ] as [(String, (Double) -> Bool)] {
                try await provider.fault(
                    "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"reset\":\"\(reset)\"")
                let told = try await provider.create("n").headers.first(name: "x-ratelimit-reset")
                #expect(isRight(try #require(told.flatMap(Double.init))), "\(reset)")
            }
            #expect(try await provider.ask(.DELETE, "/control/faults").body == "{\"rules\":[]}")
            #expect(try await provider.ask(.GET, "/control/counts").body.contains("\"live\":0"))
        }
    }

    @Test func `a fault rule may apply to a name prefix only, and a malformed rule is refused`() async throws {
        try await Provider.with { provider in
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\",\"name_prefix\":\"bad\"")
            #expect(try await provider.create("bad-1").status == 500)
            #expect(try await provider.create("good").status == 201)
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\",\"probability\":0")
            #expect(try await provider.create("bad-2").status == 201)
            let wrong = try await provider.ask(.PUT, "/control/faults", "{\"rules\":[{\"operation\":\"x\"}]}")
            #expect(wrong.status == 400)
        }
    }

    @Test func `a credential whose reply was lost may appear in lists only after a lag`() async throws {
        try await Provider.with { provider in
            let rules = """
                {"rules":[{"operation":"create","kind":"error_after_commit","times":1},
                {"operation":"create","kind":"list_lag","milliseconds":60000,"times":1}]}
                """
            #expect(try await provider.ask(.PUT, "/control/faults", rules).status == 200)
            #expect(try await provider.create("n").status == 500)
            #expect(try await provider.list("filter[name]=n").body.contains("\"data\":[]"))
            _ = try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":61}")
            #expect(try await provider.list("filter[name]=n").text("id") != nil)
        }
    }

    @Test func `a list may lag behind a create, and a create may land after its 504`() async throws {
        try await Provider.with { provider in
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"list_lag\",\"milliseconds\":60000,\"times\":1")
            let id = try #require(try await provider.create("n").text("id"))
            #expect(try await provider.list("filter[name]=n").body.contains("\"data\":[]"))
            #expect(try await provider.counts("n").contains("\"unsettled\":1"))
            #expect(try await provider.ask(.GET, "\(Provider.path)/\(id)").status == 200)
            _ = try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":61}")
            #expect(try await provider.list("filter[name]=n").text("id") == id)

            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"late_create\",\"milliseconds\":2000,\"times\":1")
            #expect(try await provider.create("late").status == 504)
            #expect(try await provider.counts("late").contains("\"unsettled\":1"))
            #expect(try await provider.list("filter[name]=late").body.contains("\"data\":[]"))
            // The delayed response is the clock here, because no test sleeps.
            try await provider.fault("\"operation\":\"list\",\"kind\":\"delay\",\"milliseconds\":100")
            let deadline = ContinuousClock.now + .seconds(10)
            while try await provider.list("filter[name]=late").text("id") == nil {
                try #require(ContinuousClock.now < deadline, "the create did not land")
            }
            #expect(try await provider.counts("late").contains("\"creates\":1"))
            while try await !provider.counts("late").contains("\"unsettled\":0") {
                try #require(ContinuousClock.now < deadline, "the create is still on its way")
            }
        }
    }

    @Test func `every request is counted by its operation`() async throws {
        try await Provider.with { provider in
            let id = try #require(try await provider.create("n").text("id"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\"")
            _ = try await provider.create("refused")
            for _ in 0..<3 { _ = try await provider.list("filter[name]=n") }
            _ = try await provider.ask(.GET, "\(Provider.path)/\(id)")
            _ = try await provider.ask(.POST, "\(Provider.path)/\(id)/token")
            _ = try await provider.ask(.DELETE, "\(Provider.path)/\(id)")
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
        try await Provider.with(configuration) { provider in
            _ = try await provider.create("kept")
            let gone = try #require(try await provider.create("gone").text("id"))
            _ = try await provider.ask(.DELETE, "\(Provider.path)/\(gone)")
            before = try await provider.list("").body + provider.names()
        }
        // A kill during a write leaves half a line. Its request was never answered.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"put\":{\"_0\":{\"id\":\"ha".utf8))
        try handle.close()
        try await Provider.with(configuration) { provider in
            let after = try await provider.list("").body + provider.names()
            #expect(after == before && after.contains("\"kept\""))
            _ = try await provider.create("next")
        }
        try await Provider.with(configuration) { provider in
            let last = try await provider.list("").body
            #expect(last.contains("\"next\""))
        }
    }
}
