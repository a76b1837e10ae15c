// SPDX-License-Identifier: Apache-2.0
// Why a tenant cannot be made.

package import Model

package enum TenantError: Error, CustomStringConvertible {
    case exists(TenantID)

    package var description: String {
        switch self {
        case .exists(let tenant): "there is a tenant \(tenant) already"
        }
    }
}
