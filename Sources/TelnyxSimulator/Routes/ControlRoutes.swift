// SPDX-License-Identifier: Apache-2.0
// The routes of a checker: it reads counts and credentials, and sets faults and the clock.

import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

struct ControlRoutes: Sendable {
    let account: Account
    let check: KeyCheck

    func add(to router: Router<BasicRequestContext>) {
        self.addLimit(to: router)
        let group = router.group("control").add(middleware: ControlGuard(check: self.check))
        group.get("counts") { request, _ in
            let name = FormQuery.items(request.uri.query ?? "").first { $0.0 == "name" }?.1
            return self.counts(name)
        }
        group.get("credentials") { request, _ in
            self.credentials(withSecrets: FormQuery.items(request.uri.query ?? "").contains { $0 == ("secrets", "1") })
        }
        group.get("faults") { _, _ in try self.faults() }
        group.put("faults") { request, _ in
            struct Rules: Decodable { var rules: [Fault] }
            let body = try await request.body.collect(upTo: 65_536)
            do {
                self.account.faults = try JSONDecoder().decode(Rules.self, from: Data(body.readableBytesView)).rules
            } catch {
                return ProviderRoutes.response(
                    .error(400, "10015", "Bad Request", "The body must be {\"rules\":[…]} with operation and kind."))
            }
            return try self.faults()
        }
        group.delete("faults") { _, _ in
            self.account.faults = []
            return try self.faults()
        }
        group.post("seed") { request, _ in try await self.seed(request) }
        group.post("clock") { request, _ in
            struct Advance: Decodable { var advance_seconds: Double }
            let body = try await request.body.collect(upTo: 1024)
            guard let advance = try? JSONDecoder().decode(Advance.self, from: Data(body.readableBytesView)) else {
                return ProviderRoutes.response(
                    .error(400, "10015", "Bad Request", "The body must have advance_seconds."))
            }
            self.account.advanceClock(by: advance.advance_seconds)
            return ProviderRoutes.response(SimulatedResponse(status: 200, body: "{}"))
        }
    }

    private func addLimit(to router: Router<BasicRequestContext>) {
        let group = router.group("control/limit").add(middleware: ControlGuard(check: self.check))
        group.put { request, _ in
            let body = try await request.body.collect(upTo: 1024)
            guard let limit = try? JSONDecoder().decode(CallLimit.self, from: Data(body.readableBytesView)),
                limit.seconds > 0
            else {
                return ProviderRoutes.response(
                    .error(400, "10015", "Bad Request", "The body must have calls and seconds."))
            }
            self.account.limit(limit)
            return ProviderRoutes.response(SimulatedResponse(status: 200, body: "{}"))
        }
        group.delete { _, _ in
            self.account.limit(nil)
            return ProviderRoutes.response(SimulatedResponse(status: 200, body: "{}"))
        }
    }

    private func seed(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 16_777_216)
        guard let seed = try? JSONDecoder().decode(AccountSeed.self, from: Data(body.readableBytesView)) else {
            return ProviderRoutes.response(
                .error(400, "10015", "Bad Request", "The body must have connection_id, name_prefix and tags."))
        }
        self.account.seed(seed)
        return ProviderRoutes.response(SimulatedResponse(status: 200, body: "{}"))
    }

    private func counts(_ name: String?) -> Response {
        let counts = self.account.counts(name: name)
        let members = counts.names.sorted { $0.key < $1.key }.map { name, count in
            "\(JSONText.quoted(name)):{\"creates\":\(count.creates),\"deletes\":\(count.deletes)}"
        }
        let requests = Fault.Operation.requests.map { "\"\($0.rawValue)\":\(counts.requests[$0] ?? 0)" }
        let lists = ListKind.allCases.map { "\"\($0.rawValue)\":\(counts.traffic.lists[$0] ?? 0)" }
        return ProviderRoutes.response(
            SimulatedResponse(
                status: 200,
                body: """
                    {"requests":{\(requests.joined(separator: ","))},"lists":{\(lists.joined(separator: ","))},\
                    "bytes":\(counts.traffic.bytes),"unsettled":\(counts.unsettled),\
                    "names":{\(members.joined(separator: ","))},"live":\(counts.live)}
                    """))
    }

    private func credentials(withSecrets: Bool) -> Response {
        let all = self.account.all().map { credential in
            let password = withSecrets ? ",\"sip_password\":\"\(credential.sipPassword)\"" : ""
            return """
                {"id":"\(credential.id)","name":\(JSONText.quoted(credential.name)),\
                "tag":\(credential.tag.map(JSONText.quoted) ?? "null"),"connection_id":"\(credential.connectionID)",\
                "sip_username":"\(credential.sipUsername)"\(password)}
                """
        }
        return ProviderRoutes.response(
            SimulatedResponse(status: 200, body: "{\"data\":[\(all.joined(separator: ","))]}"))
    }

    private func faults() throws -> Response {
        let rules = String(decoding: try JSONEncoder().encode(self.account.faults), as: UTF8.self)
        return ProviderRoutes.response(SimulatedResponse(status: 200, body: "{\"rules\":\(rules)}"))
    }
}
