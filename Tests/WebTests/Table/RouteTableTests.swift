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
            case .tenant: #expect(route.path.hasPrefix("/v1/tenants/{tenant}/"), "\(route.path)")
            case .key, .sender: #expect(route.path.hasPrefix("/v1/") && !route.path.contains("{tenant}"))
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

            enum CodingKeys: String, CodingKey {
                case operationId, parameters, security
                case scopes = "x-scopes"
            }
        }
        struct Path: Decodable {
            var get: Operation?
            var post: Operation?
            var options: Operation?
        }
        var paths: [String: Path]
    }

    private static func contract() throws -> Contract {
        try JSONDecoder().decode(Contract.self, from: Data(PackageResources.openapi_json))
    }

    private static func operations(_ contract: Contract) -> [(place: String, operation: Contract.Operation)] {
        contract.paths.flatMap { path, item in
            [("GET", item.get), ("POST", item.post), ("OPTIONS", item.options)].compactMap { method, operation in
                operation.map { ("\(method) \(path)", $0) }
            }
        }
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
            case .key(let scope), .tenant(let scope):
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

    private static let shared = ["#/components/parameters/Limit": "limit", "#/components/parameters/After": "after"]

    @Test func `each problem that the contract names has a page`() throws {
        struct Named: Decodable {
            struct Operation: Decodable {
                var problems: [String]?
                enum CodingKeys: String, CodingKey { case problems = "x-problems" }
            }
            struct Path: Decodable {
                var get: Operation?
                var post: Operation?
            }
            var paths: [String: Path]
        }
        let named = try JSONDecoder().decode(Named.self, from: Data(PackageResources.openapi_json))
        let codes = named.paths.values.flatMap { ($0.get?.problems ?? []) + ($0.post?.problems ?? []) }
        #expect(!codes.isEmpty)
        for code in codes { #expect(ProblemMeaning.row(of: code) != nil, "\(code)") }
    }
}
