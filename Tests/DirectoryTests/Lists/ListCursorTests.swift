// SPDX-License-Identifier: Apache-2.0
// A cursor brings back the end of its page, and belongs to one list alone.

import Foundation
import Model
import TestSupport
import Testing

@testable import Directory

@Suite struct ListCursorTests {
    @Test(arguments: ["a", "user-1", "-u1", "c1.x", "a b", "ä/%+=&?", "\u{1F600}", String(repeating: "~", count: 255)])
    func `a cursor is read back by its own list, and can stand in a URL as it is`(name: String) throws {
        for status in [nil, UserStatus.failed] {
            let list = UserList(of: testTenant, status.map(UserFilter.init(status:)) ?? UserFilter())
            let place = UserPlace(user: try UserID(name), received: 1_795_687_200_123_456)
            let text = place.cursor(of: list)
            #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }, "\(text)")
            #expect(try UserPlace(text, of: list) == place)
        }
    }

    @Test func `the cursor of another tenant, filter or order is refused`() throws {
        let list = UserList(of: testTenant, UserFilter(status: .failed))
        let text = UserPlace(user: testUser, received: 1).cursor(of: list)
        var prefix = UserFilter(status: .failed)
        prefix.prefix = "a"
        var before = UserFilter(status: .failed)
        before.receivedBefore = Date(timeIntervalSince1970: 1)
        for other in [
            UserList(of: try TenantID("globex"), UserFilter(status: .failed)), UserList(of: testTenant),
            UserList(of: testTenant, UserFilter(status: .pending)), UserList(of: testTenant, prefix),
            UserList(of: testTenant, before), UserList(of: testTenant, UserFilter(status: .failed), order: .newest),
        ] {
            let error = #expect(throws: InvalidValue.self) { try UserPlace(text, of: other) }
            #expect(error?.field == "after" && error?.reason.contains("another list") == true)
        }
    }

    @Test(arguments: [
        "", "!", "AA", "c1.", "c1.!", "c1.AA", "c2.YWNtZQoKdQ", "dXNlci0x", "c1.YWNtZQoK",
        "c1." + String(repeating: "A", count: 9000),
    ])
    func `any other text is no cursor`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try UserPlace(text, of: UserList(of: testTenant)) }
        #expect(error?.field == "after")
    }

    @Test func `two lists with the same filter are the same list, whatever the order of its parts`() throws {
        var one = UserFilter()
        one.status = [.failed, .pending]
        var other = UserFilter()
        other.status = [.pending, .failed]
        #expect(one.words == other.words && one.words == "status=failed,pending")
    }
}
