// SPDX-License-Identifier: Apache-2.0
// A cursor brings back the end of its page, and belongs to one list alone.

import Model
import TestSupport
import Testing

@testable import Directory

@Suite struct UserCursorTests {
    @Test(arguments: ["a", "user-1", "-u1", "c1.x", "a b", "ä/%+=&?", "\u{1F600}", String(repeating: "~", count: 255)])
    func `a cursor is read back by its own list, and can stand in a URL as it is`(name: String) throws {
        for status in [nil, UserStatus.failed] {
            let user = try UserID(name)
            let text = UserCursor(tenant: testTenant, status: status, user: user).text
            #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }, "\(text)")
            let read = try UserCursor.user(text, of: testTenant, status: status)
            #expect(read == user)
        }
    }

    @Test func `the cursor of another tenant or status is refused`() throws {
        let text = UserCursor(tenant: testTenant, status: .failed, user: testUser).text
        let globex = try TenantID("globex")
        for (tenant, status) in [(globex, UserStatus.failed), (testTenant, nil), (testTenant, .pending)] {
            let error = #expect(throws: InvalidValue.self) { try UserCursor.user(text, of: tenant, status: status) }
            #expect(error?.field == "after" && error?.reason.contains("another list") == true)
        }
    }

    @Test(arguments: [
        "", "!", "AA", "c1.", "c1.!", "c1.AA", "c2.YWNtZQoKdQ", "dXNlci0x", "c1.YWNtZQoK", "c1.YWNtZQpub3QKdQ",
    ])
    func `any other text is no cursor`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try UserCursor.user(text, of: testTenant, status: nil) }
        #expect(error?.field == "after" && error?.reason.contains("earlier page") == true)
    }
}
