// SPDX-License-Identifier: Apache-2.0
// The columns of an export are the members that the contract promises, and the contract knows each export.

import Directory
import Foundation
import Model
import Testing

@testable import Web

@Suite struct ListRowTests {
    private static let rows: [(schema: String, columns: [String])] = [
        ("Tenant", TenantEntry.columns), ("Event", ToldEvent.columns), ("Job", WaitingJob.columns),
        ("Tag", TagEntry.columns), ("Finding", FindingEntry.columns), ("Step", TimelineEntry.columns),
        ("Source", SourceAnswer.columns), ("Key", KeyAnswer.columns),
        ("User", ExportForm.userColumns + ["why"]),
    ]

    @Test(arguments: Self.rows)
    func `each member of a row is a column once`(schema: String, columns: [String]) throws {
        let members = try Self.contract()["components"]?["schemas"]?[schema]?["properties"]
        guard case .object(let promised) = try #require(members) else { throw CancellationError() }
        #expect(promised.map(\.key).sorted() == columns.sorted())
    }

    @Test func `the contract has both forms of export at each list in pages, and at nothing else`() throws {
        let contract = try Self.contract()
        for route in RouteTable.all {
            let operation = contract["paths"]?[route.path]?[route.methodName.lowercased()]
            guard case .object(let content)? = operation?["responses"]?["200"]?["content"] else { continue }
            let forms = Set(content.map(\.key)).intersection(ExportForm.allCases.map(\.rawValue))
            #expect(forms.count == (route.hasPages ? 2 : 0), "\(route.path)")
        }
    }

    private static func contract() throws -> JSONValue {
        try JSONValue(parsing: Array(PackageResources.openapi_json))
    }
}
