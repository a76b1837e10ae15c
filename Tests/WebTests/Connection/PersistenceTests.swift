// SPDX-License-Identifier: Apache-2.0
// Which connections stay after an answer, and what the answer says about it, as a table.

import Foundation
import NIOHTTP1
import Testing

@testable import Web

@Suite struct PersistenceTests {
    @Test(
        arguments: [
            (HTTPVersion.http1_1, [], Persistence.stays), (.http1_1, ["keep-alive"], .stays),
            (.http1_1, ["Close"], .closes),
            (.http1_1, ["keep-alive, CLOSE"], .closes), (.http1_1, ["x", " close "], .closes),
            (.http1_1, ["closed"], .stays),
            (.http1_0, [], .closes), (.http1_0, ["Keep-Alive"], .staysAndSaysSo),
            (.http1_0, ["x , keep-alive"], .staysAndSaysSo),
            (.http1_0, ["keep-alive", "close"], .closes),
        ] as [(HTTPVersion, [String], Persistence)])
    func `tokens have no case, come in lists and in several lines`(
        version: HTTPVersion, values: [String], expected: Persistence
    ) {
        let head = HTTPRequestHead(
            version: version, method: .GET, uri: "/", headers: HTTPHeaders(values.map { ("Connection", $0) }))
        #expect(Persistence(head) == expected)
    }

    @Test(arguments: [
        (["connection: upgrade", "upgrade: h2c"], UpgradeWish.stopsParser), (["upgrade: h2c"], .none),
        (["connection: upgrade"], .none), (["connection: close", "upgrade: h2c"], .none),
        (["connection: upgrade", "upgrade: "], .unclear), (["connection: upgraded", "upgrade: h2c"], .unclear),
        (["connection: te", "connection: upgrade", "upgrade: h2c"], .unclear),
    ])
    func `a wish counts only where the parser must see it too`(lines: [String], expected: UpgradeWish) {
        let headers = lines.map { line in
            let pair = line.components(separatedBy: ": ")
            return (pair[0], pair[1])
        }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: HTTPHeaders(headers))
        #expect(UpgradeWish(head) == expected)
    }
}
