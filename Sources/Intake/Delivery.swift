// SPDX-License-Identifier: Apache-2.0
// What a sender's request brings to intake: the bytes as they came, and the hook they came to.

package import Foundation
package import Model

/// One request to a hook.
package struct Delivery: Sendable {
    package let hook: String
    /// Returns all values of a header, by its lower-case name.
    package let headers: @Sendable (String) -> [String]
    package let body: [UInt8]
    package let receivedAt: Date
    /// Returns all headers without their values. Asked for only when a sample of what is not stored is due.
    package let lengths: @Sendable () -> [HeaderLength]

    package init(
        hook: String, headers: @escaping @Sendable (String) -> [String], body: [UInt8], receivedAt: Date,
        lengths: @escaping @Sendable () -> [HeaderLength] = { [] }
    ) {
        self.hook = hook
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
        self.lengths = lengths
    }

    var form: RequestForm { RequestForm(headers: self.lengths(), body: self.body.count) }
}

/// A hook whose source was in memory a moment ago.
package struct KnownHook: Sendable {
    let source: KnownSource

    package var sourceID: SourceID { self.source.id }
    /// How many bytes a body may have, where its sender may send more than others.
    package var maximumBody: Int? { if case .mapped = self.source.reader { Mapping.maximumBytes } else { nil } }
}
