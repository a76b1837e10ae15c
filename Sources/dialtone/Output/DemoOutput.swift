// SPDX-License-Identifier: Apache-2.0
// The demo's result as one JSON object, for programs.

import Composition
import Foundation

struct DemoOutput: Encodable {
    struct Latency: Encodable {
        var p50: Double
        var p99: Double
    }
    struct Token: Codable {
        var login_token: String
        var sip_username: String
        var expires_at: String
        var refresh_after: String
    }

    var users: Int
    var credentials: Int
    var provider_ids: Int
    var duplicates: Int
    var latency_ms: Latency
    var login_token: Token
    var address: String

    init(_ report: DemoReport) throws {
        self.users = report.rows.count
        self.credentials = report.credentials
        self.provider_ids = report.providerIDs
        self.duplicates = report.duplicates
        self.latency_ms = Latency(
            p50: (report.latency(0.5) * 10).rounded() / 10, p99: (report.latency(0.99) * 10).rounded() / 10)
        self.login_token = try JSONDecoder().decode(Token.self, from: Data(report.token.utf8))
        self.address = report.address
    }
}
