// SPDX-License-Identifier: Apache-2.0
// A member without a value is null and never left out, and times inside it have the form of all times.

import Foundation
import Testing

@testable import Model

@Suite struct OrNullTests {
    private struct Line: Encodable {
        @OrNull var name: String?
        @OrNull var at: Date?
        @OrNull var count: Int?
    }

    @Test func `a member without a value is null`() throws {
        let none = try JSONOutput.data(Line(name: nil, at: nil, count: nil))
        #expect(String(decoding: none, as: UTF8.self) == #"{"at":null,"count":null,"name":null}"#)
        let all = try JSONOutput.data(Line(name: "a/b", at: Date(timeIntervalSince1970: 0.25), count: 3))
        #expect(
            String(decoding: all, as: UTF8.self) == #"{"at":"1970-01-01T00:00:00.250Z","count":3,"name":"a/b"}"#)
    }
}
