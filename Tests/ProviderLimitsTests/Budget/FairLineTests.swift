// SPDX-License-Identifier: Apache-2.0
// In a line with lanes, one who asks a lot delays itself.

import Testing

@testable import ProviderLimits

@Suite struct FairLineTests {
    @Test func `one who comes after a whole crowd of another lane stands behind its first`() {
        var line = FairLine()
        let crowd = (1...32).map { _ in line.join("acme") }
        for ticket in crowd.prefix(3) { line.serve(ticket) }
        let other = line.join("globex")
        #expect(line.position(of: other) == 1)
        #expect(line.position(of: crowd[3]) == 0 && line.position(of: crowd[4]) == 2)
    }

    @Test func `two lanes with crowds are served in turn`() {
        var line = FairLine()
        let crowds = ["acme", "globex"].map { lane in (1...4).map { _ in line.join(lane) } }
        var order: [Int] = []
        while line.count > 0 {
            for lane in 0...1 {
                guard let first = crowds[lane].first(where: { line.position(of: $0) == 0 }) else { continue }
                line.serve(first)
                order.append(lane)
            }
        }
        #expect(order == [0, 1, 0, 1, 0, 1, 0, 1])
    }

    @Test func `without lanes those who came first are first, and those who left are in nobody's way`() {
        var line = FairLine()
        let tickets = (1...5).map { _ in line.join(nil) }
        line.leave(tickets[1])
        #expect(tickets.map { line.position(of: $0) } == [0, nil, 1, 2, 3])
        line.serve(tickets[0])
        let late = line.join(nil)
        #expect(line.position(of: late) == 3 && line.count == 4)
    }

    @Test func `a lane that nobody stands in begins anew`() {
        var line = FairLine()
        for ticket in (1...9).map({ _ in line.join("acme") }) { line.leave(ticket) }
        _ = line.join("globex")
        let back = line.join("acme")
        #expect(line.position(of: back) == 1)
    }
}
