// SPDX-License-Identifier: Apache-2.0
// Reads from the plan of a statement which tables it walks from end to end instead of entering them by key.

import Foundation
package import Postgres

/// A statement's generic plan. A session of the service makes it once and uses it for every execution.
package struct QueryPlan: Sendable, CustomStringConvertible {
    /// Tables that a scan reads from one end to the other: a sequential scan, or an index scan without a condition.
    package let walkedTables: Set<String>
    /// The indexes that it enters.
    package let indexes: Set<String>
    package let description: String

    /// Plans the statement without running it. The connection must have the settings of the service
    /// (`PostgresConfiguration.keyLookups`), because the plan depends on them.
    package static func generic(of statement: SQL, on connection: PostgresConnection) async throws -> QueryPlan {
        let types = try await connection.query(
            """
            select format_type(t.oid::oid, null)
            from unnest(\(statement.parameters.map { Int64($0.type.rawValue) })) with ordinality as t (oid, place)
            order by place
            """
        ).map { try $0.decode(String.self) }
        let list = types.isEmpty ? "" : "(\(types.joined(separator: ", ")))"
        let nulls = types.isEmpty ? "" : "(\(types.map { _ in "null" }.joined(separator: ", ")))"
        let answers = try await connection.pipeline([
            [
                "\(unsafeText: "prepare planned \(list) as \(statement.text)")",
                "\(unsafeText: "explain (format json) execute planned \(nulls)")", "deallocate planned",
            ]
        ])[0]
        _ = try answers[0].get()
        let text = try answers[1].get().map { try $0.decode(String.self) }.joined(separator: "\n")
        _ = try answers[2].get()
        let plans = try JSONDecoder().decode([Explained].self, from: Data(text.utf8))
        return QueryPlan(
            walkedTables: plans.reduce(into: []) { $0.formUnion($1.plan.walked) },
            indexes: plans.reduce(into: []) { $0.formUnion($1.plan.entered) }, description: text)
    }

    private struct Explained: Decodable {
        let plan: Node
        enum CodingKeys: String, CodingKey { case plan = "Plan" }
    }

    private struct Node: Decodable {
        let kind: String
        let relation: String?
        let index: String?
        let indexCondition: String?
        let children: [Node]?

        enum CodingKeys: String, CodingKey {
            case kind = "Node Type"
            case relation = "Relation Name"
            case index = "Index Name"
            case indexCondition = "Index Cond"
            case children = "Plans"
        }

        var walked: Set<String> {
            var walked: Set<String> = []
            if let relation, self.kind.hasSuffix("Scan"), self.kind != "Bitmap Heap Scan", self.kind != "Tid Scan",
                self.indexCondition == nil
            {
                walked.insert(relation)
            }
            for child in self.children ?? [] { walked.formUnion(child.walked) }
            return walked
        }

        var entered: Set<String> {
            Set([self.index].compactMap(\.self)).union((self.children ?? []).flatMap(\.entered))
        }
    }
}
