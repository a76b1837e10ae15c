// SPDX-License-Identifier: Apache-2.0
// A tenant and a process have so many streams at once, and a stream that nobody holds any more leaves its place.

import Model
import Testing

@testable import Web

@Suite struct OpenStreamsTests {
    @Test func `a place is free again when nobody holds it`() throws {
        let (streams, acme, globex) = (OpenStreams(), try TenantID("acme"), try TenantID("globex"))
        var places = (0..<OpenStreams.most).map { _ in streams.enter(acme) }
        #expect(places.allSatisfy { $0 != nil })
        #expect(streams.enter(acme) == nil && streams.enter(globex) != nil)
        // An answer to HEAD is dropped, and its body is never written.
        places.removeLast()
        let again = streams.enter(acme)
        #expect(again != nil && streams.enter(acme) == nil)
        withExtendedLifetime(places) {}
    }

    @Test func `all tenants together have so many places, and one that is left is anybody's`() throws {
        let (streams, stranger) = (OpenStreams(), try TenantID("stranger"))
        var places: [OpenStreams.Place?] = []
        for number in 0..<OpenStreams.mostInAll {
            let tenant = try TenantID("t-\(number / OpenStreams.most)")
            places.append(streams.enter(tenant))
        }
        #expect(places.allSatisfy { $0 != nil })
        #expect(streams.enter(stranger) == nil)
        places.removeLast()
        let place = streams.enter(stranger)
        #expect(place != nil && streams.enter(stranger) == nil)
        withExtendedLifetime(places) {}
    }
}
