// SPDX-License-Identifier: Apache-2.0
// An interpolated value becomes a parameter; only a value labelled unsafe becomes part of the statement's text.

import Testing

@testable import Postgres

@Suite struct SQLTests {
    @Test func `interpolated values become parameters in order`() {
        let name = "x'; drop table users; --"
        let statement: SQL = "select \(1 as Int32) where name = \(name)"
        #expect(statement.text == "select $1 where name = $2")
        #expect(statement.parameters[1].bytes == Array(name.utf8))
    }

    @Test func `the parameters of a nested statement are renumbered`() {
        let inner: SQL = "b = \(2 as Int64) or c = \(3 as Int64)"
        let outer: SQL = "a = \(1 as Int64) and (\(inner)) and d = \(4 as Int64)"
        #expect(outer.text == "a = $1 and (b = $2 or c = $3) and d = $4")
        #expect(outer.parameters.map { $0.bytes?.last } == [1, 2, 3, 4])
    }

    @Test func `a nested statement without parameters leaves the numbers around it alone`() {
        let inner: SQL = "b is null or c = '$1'"
        let outer: SQL = "a = \(1 as Int64) and (\(inner)) and d = \(2 as Int64)"
        #expect(outer.text == "a = $1 and (b is null or c = '$1') and d = $2")
        #expect(outer.parameters.map { $0.bytes?.last } == [1, 2])
    }

    @Test func `parameters are renumbered at every depth and beyond nine`() {
        let first: SQL = "a in (\(1 as Int64), \(2 as Int64), \(3 as Int64), \(4 as Int64))"
        let second: SQL = "b in (\(5 as Int64), \(6 as Int64), \(7 as Int64), \(8 as Int64))"
        let third: SQL = "c in (\(9 as Int64), \(10 as Int64), \(11 as Int64))"
        let plain: SQL = "d is null"
        let middle: SQL = "\(plain) and \(second) and \(third)"
        let outer: SQL = "\(first) and \(middle) and e = \(12 as Int64)"
        #expect(
            outer.text == """
                a in ($1, $2, $3, $4) and d is null and b in ($5, $6, $7, $8) and c in ($9, $10, $11) and e = $12
                """)
        #expect(outer.parameters.map { $0.bytes?.last } == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    }

    @Test func `the description of a statement shows no value`() {
        let secret = "hunter2"
        let statement: SQL = "select \(secret)"
        #expect(statement.description == "select ****")
    }

    @Test func `a null parameter has a type and no bytes`() {
        let none: String? = nil
        let statement: SQL = "select \(none)"
        #expect(statement.parameters[0].bytes == nil)
        #expect(statement.parameters[0].type == .text)
    }
}
