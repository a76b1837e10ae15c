// SPDX-License-Identifier: Apache-2.0
// The route table is whole: each operation stands once, has a handler that fits, and is in the contract as it is here.

import Foundation
import HTTPTypes
import Hummingbird
import Model
import Testing

@testable import Web

@Suite struct RouteTableTests {
    @Test func `each operation stands in the table once, and no path has a method twice`() {
        #expect(
            RouteTable.all.map(\.operation).sorted { $0.rawValue < $1.rawValue }
                == Operation.allCases.sorted { $0.rawValue < $1.rawValue })
        let places = RouteTable.all.map { "\($0.method.rawValue) \($0.path)" }
        #expect(Set(places).count == places.count)
    }

    @Test func `what names a tenant is behind a key that reaches it, and nothing else of v1 is open`() {
        for route in RouteTable.all {
            switch route.access {
            case .tenant: #expect("\(route.path)/".hasPrefix("/v1/tenants/{tenant}/"), "\(route.path)")
            case .key, .operators, .sender: #expect(route.path.hasPrefix("/v1/") && !route.path.contains("{tenant}"))
            case .anyone: #expect(!route.path.hasPrefix("/v1/"), "\(route.path)")
            }
        }
    }

    @Test(arguments: RouteTable.all.indices) func `a handler fits its route's access alone`(index: Int) {
        let route = RouteTable.all[index]
        let handlers: [Handler] = [
            .open { _, _ in Response(status: .ok) }, .keyed { _ in Response(status: .ok) },
            .tenant { _ in Response(status: .ok) },
        ]
        #expect(handlers.count { $0.fits(route.access) } == 1)
    }

    // MARK: The contract

    private struct Contract: Decodable {
        struct Operation: Decodable {
            struct Parameter: Decodable {
                var name: String?
                var `in`: String?
                var ref: String?

                enum CodingKeys: String, CodingKey {
                    case name, `in`
                    case ref = "$ref"
                }
            }
            var operationId: String
            var scopes: [String]?
            var parameters: [Parameter]?
            var security: [[String: [String]]]?
            var responses: [String: Response]
            var problems: [String]?

            /// Nothing of an answer is read but its status and the names of its fields.
            struct Response: Decodable {
                struct Field: Decodable {}
                var headers: [String: Field]?
                var ref: String?

                enum CodingKeys: String, CodingKey {
                    case headers
                    case ref = "$ref"
                }
            }

            enum CodingKeys: String, CodingKey {
                case operationId, parameters, security, responses
                case scopes = "x-scopes"
                case problems = "x-problems"
            }
        }
        struct Path: Decodable {
            /// By the method, in capitals.
            var operations: [String: Operation] = [:]

            private struct Member: CodingKey {
                let stringValue: String
                var intValue: Int? { nil }

                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { return nil }
            }

            /// Every member but the one that is known to be none is taken for a method, so that none is passed over.
            init(from decoder: any Decoder) throws {
                let members = try decoder.container(keyedBy: Member.self)
                for member in members.allKeys where member.stringValue != "parameters" {
                    let operation = try members.decode(Operation.self, forKey: member)
                    self.operations[member.stringValue.uppercased()] = operation
                }
            }
        }
        var paths: [String: Path]
    }

    private static func contract() throws -> Contract {
        try JSONDecoder().decode(Contract.self, from: Data(PackageResources.openapi_json))
    }

    private static func operations(_ contract: Contract) -> [(place: String, operation: Contract.Operation)] {
        contract.paths.flatMap { path, item in
            item.operations.map { method, operation in (place: "\(method) \(path)", operation: operation) }
        }
    }

    @Test func `no method of a path in the contract is passed over`() throws {
        let methods = ["delete", "get", "head", "options", "patch", "post", "put", "query", "trace"]
        let members = methods.map { "\"\($0)\":{\"operationId\":\"of \($0)\",\"responses\":{}}" }
        let text = "{\"paths\":{\"/a\":{\"parameters\":[],\(members.joined(separator: ","))}}}"
        let contract = try JSONDecoder().decode(Contract.self, from: Data(text.utf8))
        let places = Self.operations(contract).map { $0.place }.sorted()
        #expect(places == methods.map { "\($0.uppercased()) /a" })
    }

    @Test func `the contract has each route and no other`() throws {
        let told = Self.operations(try Self.contract()).map { "\($0.place) \($0.operation.operationId)" }.sorted()
        let routes = RouteTable.all.map { "\($0.method.rawValue) \($0.path) \($0.operation.rawValue)" }.sorted()
        #expect(told == routes)
    }

    @Test func `the contract names the scope and the parameters of each route`() throws {
        let told = Dictionary(
            uniqueKeysWithValues: Self.operations(try Self.contract()).map { ($0.operation.operationId, $0.operation) })
        for route in RouteTable.all {
            let operation = try #require(told[route.operation.rawValue])
            switch route.access {
            case .key(let scope), .operators(let scope), .tenant(let scope):
                #expect(operation.scopes == [scope.rawValue], "\(route.path)")
                #expect(operation.security == nil, "the key that all routes need")
            case .anyone: #expect(operation.security == [], "\(route.path)")
            case .sender: #expect(operation.security == [["hookProof": []]], "\(route.path)")
            }
            let query = (operation.parameters ?? []).compactMap { parameter in
                parameter.in == "query" ? parameter.name : Self.shared[parameter.ref ?? ""]
            }
            #expect(query.sorted() == route.parameters.sorted(), "\(route.path)")
        }
    }

    @Test func `the contract has no 304 where an answer says when it was true`() throws {
        let told = Self.operations(try Self.contract()).filter { $0.operation.responses["304"] == nil }
        let names = Set(told.map { $0.operation.operationId })
        #expect(names.isSuperset(of: ["users.proof", "users.verify", "summary.show", "limits.list"]))
        #expect(names.contains("stream"), "a stream has no tag either")
        #expect(!names.contains("users.show"), "the other answers have a tag")
    }

    @Test func `the contract names the quota's fields at each route that counts, and at no other`() throws {
        for (place, operation) in Self.operations(try Self.contract()) {
            let route = try #require(RouteTable.all.first { $0.operation.rawValue == operation.operationId })
            let fields = Set((operation.responses["200"]?.headers ?? [:]).keys)
            #expect(fields.isSuperset(of: ["RateLimit", "RateLimit-Policy"]) == route.hasQuota, "\(place)")
            for status in ["400", "404", "429", "503", "default"] {
                let answer = operation.responses[status]?.ref ?? ""
                #expect(answer.hasSuffix("/CountedProblem") == route.hasQuota, "\(place) \(status)")
            }
        }
    }

    private static let shared = ["#/components/parameters/Limit": "limit", "#/components/parameters/After": "after"]

    @Test func `each problem that the contract names has a page`() throws {
        let codes = Self.operations(try Self.contract()).flatMap { $0.operation.problems ?? [] }
        #expect(!codes.isEmpty)
        for code in codes { #expect(ProblemMeaning.row(of: code) != nil, "\(code)") }
    }
}
