// SPDX-License-Identifier: Apache-2.0
// Tests how a file of organisations and tenants is read.

import Model
import Testing

@testable import Composition

struct OrganizationFileTests {
    private static func entries(_ text: String) throws -> [OrganizationFile.Entry] {
        try OrganizationFile(Array(text.utf8)).entries
    }

    @Test func `a line has an organisation and its tenant, or a minus to ignore it`() throws {
        let read = try Self.entries("# ours\norg_1 acme\r\n\norg_2,\tglobex \n  org_3   -\n")
        #expect(
            read == [
                .init(line: 2, organization: "org_1", target: try TenantID("acme")),
                .init(line: 4, organization: "org_2", target: try TenantID("globex")),
                .init(line: 5, organization: "org_3", target: nil),
            ])
        #expect(try Self.entries("").isEmpty)
    }

    @Test func `the mark with which some editors begin a file is no part of the first name`() throws {
        let read = try Self.entries("\u{FEFF}org_1 acme\norg_2 acme\n")
        #expect(read.map(\.organization) == ["org_1", "org_2"])
        #expect(try Self.entries("\u{FEFF}# ours\norg_1 acme").map(\.line) == [2])
    }

    @Test(arguments: [("org_1", 1), ("a acme\norg_1 acme globex", 2), ("a acme\n\nb A_B!", 3)])
    func `a line that cannot be read is named by its number`(text: String, line: Int) {
        let error = #expect(throws: InvalidValue.self) { try Self.entries(text) }
        #expect(error?.reason.contains("line \(line)") == true, "\(String(describing: error))")
    }

    @Test func `bytes that are no text are refused`() {
        #expect(throws: InvalidValue.self) { try OrganizationFile([0xFF, 0xFE]) }
    }
}
