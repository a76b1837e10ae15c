// SPDX-License-Identifier: Apache-2.0
// The demo's story: two tenants sign users up, the users get credentials, and one of them gets a login token.

import AsyncHTTPClient
import Directory
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres

struct DemoStory: Sendable {
    let users: Int
    /// The service's settings, with its address as `publicURL`.
    let settings: Settings
    /// The simulated provider's base URL.
    let provider: String
    let progress: @Sendable (String) -> Void

    func run() async throws -> DemoReport {
        let customers = try await self.createCustomers()
        let http = HTTPClient()
        do {
            let report = try await self.report(customers, http)
            try await http.shutdown()
            return report
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func report(_ customers: [DemoCustomer], _ http: HTTPClient) async throws -> DemoReport {
        let accepted = try await self.signUp(customers, http)
        let database = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.settings.databaseURL.reveal()))
        try await self.waitUntilReady(database)
        var report = DemoReport(
            address: self.settings.publicURL ?? "", provider: self.provider, customers: customers)
        report.rows = try await self.rows(customers, accepted: accepted)
        try await report.count(in: database, provider: self.provider, http)
        await database.close()
        if let first = report.rows.first, let customer = customers.first(where: { $0.tenant == first.user.tenant }) {
            report.token = try await self.handOff(first.user, customer, http)
        }
        return report
    }

    // MARK: Tenants

    private func createCustomers() async throws -> [DemoCustomer] {
        let administration = Administration(self.settings)
        var customers: [DemoCustomer] = []
        for (name, connection) in [("acme", "1000000001"), ("globex", "1000000002")] {
            let tenant = try TenantID(name)
            _ = try await administration.createTenant(tenant, connectionID: connection)
            let source = try await administration.createSource(
                "\(name)-app", tenant: tenant, allowed: [], preset: "standard")
            // All that reads, so that every question can be tried.
            let key = try await administration.createKey(
                tenant: tenant,
                scopes: [.usersRead, .loginTokensCreate, .eventsRead, .jobsRead, .sourcesRead, .keysRead])
            customers.append(
                DemoCustomer(
                    tenant: tenant, hookURL: source.url, secret: Secret(try source.madeSecret()),
                    key: Secret(key.key)))
        }
        return customers
    }

    // MARK: Sign-ups

    /// Sends a sign-up for each user, at most 16 at a time. Returns when each was accepted.
    private func signUp(_ customers: [DemoCustomer], _ http: HTTPClient) async throws -> [UserKey: Date] {
        let senders = try customers.map { try SignUpSender(url: $0.hookURL, secret: $0.secret, http: http) }
        var accepted: [UserKey: Date] = [:]
        self.progress("sending \(self.users) signed sign-ups")
        for start in stride(from: 0, to: self.users, by: 16) {
            try await withThrowingTaskGroup(of: (UserKey, Date).self) { group in
                for number in start..<min(start + 16, self.users) {
                    let place = number % customers.count
                    let user = UserKey(tenant: customers[place].tenant, user: try UserID("user-\(number + 1)"))
                    let sender = senders[place]
                    group.addTask {
                        let reply = try await sender.send(
                            type: "user.created", user: user, deliveryID: "msg_demo_\(number + 1)", at: Date())
                        guard reply.status == 202 else {
                            throw DemoError.refused(status: reply.status, body: reply.body)
                        }
                        return (user, Date())
                    }
                }
                for try await (user, at) in group { accepted[user] = at }
            }
        }
        return accepted
    }

    /// Waits until each user has a credential. Throws `DemoError.late` when no further user got one for a minute.
    private func waitUntilReady(_ database: PostgresConnection) async throws {
        var deadline = ContinuousClock.now + .seconds(60)
        var last = 0
        while true {
            let row = try await database.query("select count(*) from dialtone.users where status = 'ready'").first
            let ready = Int(try row?.decode(Int64.self) ?? Int64(0))
            self.progress("credentials: \(ready) of \(self.users)")
            if ready >= self.users { return }
            if ready > last { deadline = ContinuousClock.now + .seconds(60) }
            last = ready
            guard ContinuousClock.now < deadline else { throw DemoError.late(ready: ready) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func rows(_ customers: [DemoCustomer], accepted: [UserKey: Date]) async throws -> [DemoReport.Row] {
        let administration = Administration(self.settings)
        var rows: [DemoReport.Row] = []
        for customer in customers {
            let users = try await administration.userEntries(of: customer.tenant)
            for entry in users {
                let user = UserKey(tenant: customer.tenant, user: try UserID(entry.userID))
                guard let at = accepted[user], let ready = entry.readyAt else { continue }
                rows.append(
                    DemoReport.Row(
                        user: user, tag: entry.tag ?? "", sipUsername: entry.sipUsername ?? "",
                        milliseconds: max(0, ready.timeIntervalSince(at) * 1000)))
            }
        }
        return rows
    }

    // MARK: A login token

    /// Returns the JSON with which the service answers.
    private func handOff(_ user: UserKey, _ customer: DemoCustomer, _ http: HTTPClient) async throws -> String {
        var request = HTTPClientRequest(url: "\(self.settings.publicURL ?? "")/v1/login-tokens")
        request.method = .POST
        request.headers = [
            "authorization": "Bearer \(customer.key.reveal())", "content-type": "application/json",
        ]
        request.body = .bytes(ByteBuffer(string: "{\"user_id\":\"\(user.user)\"}"))
        let response = try await http.execute(request, timeout: .seconds(30))
        let body = String(buffer: try await response.body.collect(upTo: 65_536))
        guard response.status == .ok else { throw DemoError.refused(status: Int(response.status.code), body: body) }
        return body
    }
}
