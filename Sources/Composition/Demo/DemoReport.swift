// SPDX-License-Identifier: Apache-2.0
// The demo's findings: each user's credential, how long it took, and that nobody has two.

import AsyncHTTPClient
import Foundation
package import Model
import NIOCore
import NIOHTTP1
import Postgres

package struct DemoReport: Sendable {
    package struct Row: Sendable {
        package let user: UserKey
        package let tag: String
        package let sipUsername: String
        /// From the 202 to the stored credential.
        package let milliseconds: Double
    }

    /// The service's base URL.
    package let address: String
    /// The simulated provider's base URL.
    package let provider: String
    package let customers: [DemoCustomer]
    package var rows: [Row] = []
    /// Active credentials in the ledger.
    package var credentials = 0
    /// Different provider ids of these credentials.
    package var providerIDs = 0
    /// Names with more than one credential at the provider, and credentials there beyond those of the ledger.
    package var duplicates = 0
    /// The JSON with which `POST /v1/login-tokens` was answered.
    package var token = ""

    init(address: String, provider: String, customers: [DemoCustomer]) {
        self.address = address
        self.provider = provider
        self.customers = customers
    }

    package var isComplete: Bool {
        self.credentials == self.rows.count && self.providerIDs == self.credentials && self.duplicates == 0
            && !self.rows.isEmpty
    }

    /// Returns the latency in milliseconds that this share of the users did not exceed: 0.5 for the median.
    package func latency(_ share: Double) -> Double {
        let sorted = self.rows.map(\.milliseconds).sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    // MARK: Counting

    /// Counts in the ledger, and asks the provider how often it has created and deleted each name.
    mutating func count(in database: PostgresConnection, provider: String, _ http: HTTPClient) async throws {
        let row = try await database.query(
            "select count(*), count(distinct provider_id) from dialtone.credentials where status = 'active'"
        ).first
        if var columns = row?.columns {
            self.credentials = try columns.next()
            self.providerIDs = try columns.next()
        }
        var request = HTTPClientRequest(url: "\(provider)/control/counts")
        request.headers.add(name: "authorization", value: "Bearer \(Demo.providerKey)")
        let response = try await http.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 1 << 26)
        let counts = try JSONDecoder().decode(ProviderCounts.self, from: Data(body.readableBytesView))
        self.duplicates =
            counts.names.values.count { $0.creates - $0.deletes > 1 } + max(0, counts.live - self.credentials)
    }

    private struct ProviderCounts: Decodable {
        struct Name: Decodable {
            var creates: Int
            var deletes: Int
        }
        var names: [String: Name]
        var live: Int
    }
}
