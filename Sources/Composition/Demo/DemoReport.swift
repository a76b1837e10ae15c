// SPDX-License-Identifier: Apache-2.0
// What the demo found: who has which credential, how long it took, and that nobody has two.

import AsyncHTTPClient
import Foundation
import Glibc
package import Model
import NIOCore
import Postgres

package struct DemoReport: Sendable {
    package struct Row: Sendable {
        package let user: UserKey
        package let tag: String
        package let sipUsername: String
        /// From the 202 to the stored credential.
        package let milliseconds: Double
    }

    package let address: String
    package let provider: String
    package let customers: [Demo.Customer]
    package var rows: [Row] = []
    package var credentials = 0
    package var providerIDs = 0
    package var duplicates = 0
    /// The JSON that `POST /v1/login-tokens` answered.
    package var token = ""

    init(address: String, provider: String, customers: [Demo.Customer]) {
        self.address = address
        self.provider = provider
        self.customers = customers
    }

    package var isComplete: Bool {
        self.credentials == self.rows.count && self.providerIDs == self.credentials && self.duplicates == 0
            && !self.rows.isEmpty
    }

    /// The latency that `share` of the users were within, in milliseconds.
    package func latency(_ share: Double) -> Double {
        let sorted = self.rows.map(\.milliseconds).sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Counts in the ledger, and asks the provider how often it made each name.
    mutating func count(in database: PostgresConnection, provider: String, _ http: HTTPClient) async throws {
        let row = try await database.query(
            "select count(*), count(distinct provider_id) from dialtone.credentials where status = 'active'"
        ).first
        if var columns = row?.columns {
            self.credentials = try columns.next()
            self.providerIDs = try columns.next()
        }
        struct Counts: Decodable {
            struct Name: Decodable {
                var creates: Int
                var deletes: Int
            }
            var names: [String: Name]
            var live: Int
        }
        let response = try await http.execute(
            HTTPClientRequest(url: "\(provider)/control/counts"), timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 1 << 26)
        let counts = try JSONDecoder().decode(Counts.self, from: Data(body.readableBytesView))
        self.duplicates =
            counts.names.values.count { $0.creates - $0.deletes > 1 } + max(0, counts.live - self.credentials)
    }
}

enum PortProbe {
    /// Whether a loopback port can be bound now.
    static func isFree(_ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
