// SPDX-License-Identifier: Apache-2.0
// How many streams a tenant and this process have open: each asks the database once a second.

import Model
import Synchronization

final class OpenStreams: Sendable {
    /// Streams of one tenant at most.
    static let most = 8
    /// Streams of all tenants together at most.
    static let mostInAll = 256

    private struct State {
        var ofTenants: [TenantID: Int] = [:]
        var inAll = 0
    }

    private let open = Mutex(State())

    /// A place of a tenant. It is free again when nobody holds it any more: at the end of the stream, or when its
    /// answer was never written, as that to HEAD.
    final class Place: Sendable {
        private let streams: OpenStreams
        private let tenant: TenantID

        fileprivate init(_ streams: OpenStreams, _ tenant: TenantID) {
            self.streams = streams
            self.tenant = tenant
        }

        deinit { self.streams.leave(self.tenant) }
    }

    /// Takes a place; nil when the tenant or the process has its full number.
    func enter(_ tenant: TenantID) -> Place? {
        let isFree = self.open.withLock { open in
            guard open.inAll < Self.mostInAll, open.ofTenants[tenant, default: 0] < Self.most else { return false }
            open.inAll += 1
            open.ofTenants[tenant, default: 0] += 1
            return true
        }
        return isFree ? Place(self, tenant) : nil
    }

    private func leave(_ tenant: TenantID) {
        self.open.withLock { open in
            let left = open.ofTenants[tenant, default: 0] - 1
            open.ofTenants[tenant] = left > 0 ? left : nil
            open.inAll -= 1
        }
    }
}
