// SPDX-License-Identifier: Apache-2.0
// Why a tenant cannot be made or changed.

package import Model

package enum TenantError: Error, CustomStringConvertible {
    case exists(TenantID)
    case unknown(TenantID)

    package var description: String {
        switch self {
        case .exists(let tenant): "there is a tenant \(tenant) already"
        case .unknown(let tenant): "there is no tenant \(tenant); create it with: dialtone tenant create"
        }
    }
}
