// SPDX-License-Identifier: Apache-2.0
// A query parameter that is mistyped, repeated or unreadable is refused by name, and never passed over.

import Model
import Testing

@testable import Web

@Suite struct QueryParametersTests {
    private static let known = ["limit", "after", "status"]

    @Test(arguments: [
        ("", [String: String]()), ("limit=5", ["limit": "5"]),
        ("limit=5&status=failed", ["limit": "5", "status": "failed"]),
        ("after=a%3Db%20c", ["after": "a=b c"]), ("after=a=b", ["after": "a=b"]), ("%6Cimit=5", ["limit": "5"]),
        ("limit", ["limit": ""]), ("limit=", ["limit": ""]), ("&&limit=5&", ["limit": "5"]),
    ])
    func `known parameters are read, percent-encoding and all`(query: String, values: [String: String]) throws {
        let read = try QueryParameters(query, known: Self.known)
        for name in Self.known { #expect(read[name] == values[name], "\(query)") }
    }

    /// The query, the code, and words of the answer.
    @Test(arguments: [
        ("stauts=failed", "unknown_parameter", ["stauts", "status"]),
        ("Status=failed", "unknown_parameter", ["Status", "status"]),
        ("limits=5", "unknown_parameter", ["limits", "limit"]), ("befor=x", "unknown_parameter", ["befor", "after"]),
        ("limit=5&x=1", "unknown_parameter", ["x is"]), ("=5", "unknown_parameter", ["limit, after, status"]),
        ("status[]=failed", "unknown_parameter", ["limit, after, status"]),
        ("limit=5&limit=5", "repeated_parameter", ["limit"]), ("after=a&after=b", "repeated_parameter", ["after"]),
        ("limit=5&%6Cimit=6", "repeated_parameter", ["limit"]),
        ("after=%FF", "invalid_value", ["after"]), ("after=%2", "invalid_value", ["after"]),
    ])
    func `any other query is refused with 400, and the parameter is named`(
        query: String, code: String, words: [String]
    ) {
        let problem = #expect(throws: Problem.self) { try QueryParameters(query, known: Self.known) }
        #expect(problem?.status == 400 && problem?.code == code, "\(query)")
        for word in words { #expect(problem?.detail.contains(word) == true, "\(query): \(problem?.detail ?? "")") }
    }

    @Test func `a route without parameters says so, and a long name is not repeated`() {
        let none = #expect(throws: Problem.self) { try QueryParameters("limit=5", known: []) }
        #expect(none?.code == "unknown_parameter" && none?.detail.contains("which has none") == true)
        let secret = "hunter2" + String(repeating: "x", count: 40)
        let long = #expect(throws: Problem.self) { try QueryParameters("\(secret)=1", known: Self.known) }
        #expect(long?.code == "unknown_parameter" && long?.detail.contains("hunter2") == false)
    }

    @Test(arguments: [
        ("stauts", "status"), ("state", "status"), ("stat", "status"), ("lim", "limit"), ("LIMIT", "limit"),
        ("afterr", "after"), ("", "limit"),
    ])
    func `the suggestion is the nearest name`(name: String, nearest: String) {
        #expect(NearestName.of(name, among: Self.known) == nearest)
    }
}
