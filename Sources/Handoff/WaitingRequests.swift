// SPDX-License-Identifier: Apache-2.0
// The requests that wait for users who are being provisioned: bounded in all, and for each tenant.

import Model
import Synchronization

/// Each of them reads the database again and again. One tenant's must leave places for the others.
final class WaitingRequests: Sendable {
    private struct Count {
        var all = 0
        var ofTenant: [TenantID: Int] = [:]
    }

    private let maximum: Int
    private let maximumOfTenant: Int
    private let count = Mutex(Count())

    init(maximum: Int = 500, maximumOfTenant: Int = 100) {
        self.maximum = maximum
        self.maximumOfTenant = maximumOfTenant
    }

    /// Returns whether there was a place. `leave` must follow then.
    func enter(_ tenant: TenantID) -> Bool {
        self.count.withLock { count in
            guard count.all < self.maximum, count.ofTenant[tenant, default: 0] < self.maximumOfTenant else {
                return false
            }
            count.all += 1
            count.ofTenant[tenant, default: 0] += 1
            return true
        }
    }

    func leave(_ tenant: TenantID) {
        self.count.withLock { count in
            count.all -= 1
            let left = count.ofTenant[tenant, default: 0] - 1
            count.ofTenant[tenant] = left > 0 ? left : nil
        }
    }
}
