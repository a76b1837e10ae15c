// SPDX-License-Identifier: Apache-2.0
// A step of a life names the delivery behind it, whoever sent it.

import Directory
import Foundation
import Testing

@testable import Composition

@Suite struct TimelineLineTests {
    @Test(arguments: [("app", "app msg_1"), (nil, "msg_1")])
    func `a delivery has its id, also where its source has no name here`(source: String?, words: String) {
        var entry = TimelineEntry(at: Date(timeIntervalSince1970: 0), kind: .eventAccepted)
        (entry.eventID, entry.deliveryID, entry.source) = ("e", "msg_1", source)
        #expect(TimelineLine(entry).cells.contains(words))
    }
}
