// SPDX-License-Identifier: Apache-2.0
// Host names to addresses, on a thread of its own: getaddrinfo blocks, and libpq would call it on ours.

import Foundation
import Glibc

package enum Resolver {
    /// Every address of `host`, numeric, in the order getaddrinfo(3) prefers.
    ///
    /// Cancelled here: nothing; the thread ends when the resolver gives up, and its answer is dropped with the task.
    static func addresses(of host: String) async throws(PostgresError) -> [String] {
        let found = await Self.onThread { Self.lookUp(host) }
        guard !found.isEmpty else { throw PostgresError(.connectFailed, "host \(host) does not resolve") }
        return found
    }

    /// Runs blocking work on a new thread, off the pool that runs tasks.
    static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    private static func lookUp(_ host: String) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        // AI_ADDRCONFIG leaves out ::1 on machines with only a loopback; the second try is for them.
        if unsafe getaddrinfo(host, nil, &hints, &list) != 0 {
            unsafe hints.ai_flags = 0
            guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let failed = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let end = text.firstIndex(of: 0) ?? text.endIndex
            let address = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if failed == 0, !found.contains(address) { found.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return found
    }
}
