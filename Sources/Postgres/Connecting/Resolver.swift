// SPDX-License-Identifier: Apache-2.0
// Resolves host names on a thread of its own: getaddrinfo blocks, and libpq would call it on the caller's.

import Dispatch
import Foundation
import Glibc
import Synchronization

package enum Resolver {
    /// Returns every address of `host`, numeric, in the order getaddrinfo(3) prefers.
    ///
    /// Cancelled here, or out of time: throws; the thread ends when the resolver gives up.
    package static func addresses(
        of host: String, within limit: Duration = .seconds(5)
    ) async throws(PostgresError) -> [String] {
        let found = await Self.onThread(within: limit) { Self.lookUp(host) }
        if Task.isCancelled { throw PostgresError(.cancelled, "cancelled while a host name was looked up") }
        guard let found, !found.isEmpty else {
            throw PostgresError(.connectFailed, "host \(host) does not resolve")
        }
        return found
    }

    /// Runs blocking work on a new thread, off the pool that runs tasks, and returns its value.
    ///
    /// Returns nil when the work does not end in time, or when the task is cancelled first and not shielded. The thread
    /// then ends by itself, and its value is dropped.
    static func onThread<Value: Sendable>(
        within limit: Duration, isShielded: Bool = false, _ work: @escaping @Sendable () -> Value
    ) async -> Value? {
        let answer = OneAnswer<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                answer.wait(waiter)
                Thread.detachNewThread { answer.give(work()) }
                let milliseconds =
                    limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(milliseconds))) {
                    answer.give(nil)
                }
                if !isShielded && Task.isCancelled { answer.give(nil) }
            }
        } onCancel: {
            if !isShielded { answer.give(nil) }
        }
    }

    /// Resumes its waiter with the first value that is given. Later values are dropped.
    private final class OneAnswer<Value: Sendable>: Sendable {
        private let waiter = Mutex<CheckedContinuation<Value?, Never>?>(nil)

        func wait(_ waiter: CheckedContinuation<Value?, Never>) { self.waiter.withLock { $0 = waiter } }

        func give(_ value: Value?) {
            self.waiter.withLock { waiter in
                defer { waiter = nil }
                return waiter
            }?.resume(returning: value)
        }
    }

    private static func lookUp(_ host: String) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        // AI_ADDRCONFIG leaves out ::1 on a machine with only a loopback. The second try finds it.
        let first = unsafe getaddrinfo(host, nil, &hints, &list)
        if first != 0 {
            guard first != EAI_AGAIN else { return [] }
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
