// SPDX-License-Identifier: Apache-2.0
// A request's body that tells whether the HTTP client ever asked for its bytes.

import Synchronization

/// The bytes of a body, and whether somebody has read them.
///
/// AsyncHTTPClient reads a collection only after it has written the request's head. So a request whose body was never
/// read was never complete on any wire, and no server can have acted on it. `count` reads no byte.
struct ObservedBody: RandomAccessCollection, Sendable {
    private final class Mark: Sendable {
        let isRead = Atomic(false)
    }

    private let bytes: [UInt8]
    private let mark = Mark()

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Whether the bytes may have been sent. Once true it stays true.
    var wasRead: Bool { self.mark.isRead.load(ordering: .acquiring) }

    var startIndex: Int { self.bytes.startIndex }
    var endIndex: Int { self.bytes.endIndex }

    subscript(position: Int) -> UInt8 {
        self.mark.isRead.store(true, ordering: .releasing)
        return self.bytes[position]
    }

    func withContiguousStorageIfAvailable<Value>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Value
    ) rethrows -> Value? {
        self.mark.isRead.store(true, ordering: .releasing)
        return try self.bytes.withContiguousStorageIfAvailable(body)
    }
}
