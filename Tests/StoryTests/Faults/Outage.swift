// SPDX-License-Identifier: Apache-2.0
// The ways in which a test takes a database away for a while, and how it asks a node until it has an answer.

import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Postgres
import PrivatePostgres
import Testing

/// A time in which the server stores nothing.
enum Outage: CaseIterable, Sendable {
    /// Sessions that there are become read-only.
    case readOnly
    /// All sessions end, and new ones are born read-only.
    case readOnlyFromBirth
    /// `pg_ctl restart -m fast`, with a time in between.
    case restart

    /// Alone on a machine an end is noticed within a second or two. The rest is for other tests.
    static let soon: Duration = .seconds(5)

    func begin(at place: RestorePlace) async throws {
        guard self != .restart else { return try await place.server.stop() }
        try await Self.administer(
            place, "alter system set default_transaction_read_only = on", "select pg_reload_conf()")
        guard self == .readOnlyFromBirth else { return }
        try await Self.administer(
            place,
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()
            """)
    }

    func end(at place: RestorePlace) async throws {
        guard self != .restart else { return try await place.server.startAgain() }
        try await Self.administer(
            place, "alter system reset default_transaction_read_only", "select pg_reload_conf()")
    }

    private static func administer(_ place: RestorePlace, _ scripts: String...) async throws {
        let url = place.server.url() + "&target_session_attrs=any"
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        try await admin.script("set default_transaction_read_only = off")
        for script in scripts { try await admin.script(script) }
        await admin.close()
    }
}

/// A request that a test repeats until its answer is the awaited one.
struct RepeatedRequest: Sendable {
    var method = HTTPMethod.GET
    let url: String
    var body = ""
    var headers: HTTPHeaders = [:]

    /// Asks until this status comes, for 30 seconds. Returns the answer. Each answer before it must be one of `others`.
    @discardableResult
    func until(_ status: Int, after others: Set<Int> = [200, 503], by http: HTTPClient) async throws -> Story.Reply {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let reply = try await http.reply(self.method, self.url, self.body, self.headers)
            if reply.status == status { return reply }
            try #require(others.contains(reply.status), "\(self.url): \(reply.status) \(reply.body)")
            try #require(ContinuousClock.now < deadline, "\(self.url) is never \(status): \(reply.body)")
        }
    }
}
