// SPDX-License-Identifier: Apache-2.0
// Whose rows a list has: those of one tenant, behind the second wall, or those of all.

package import Model

package enum Onlooker: Sendable {
    case reader(Reader)
    /// An operator, by the id of the key; nil on the command line.
    case ofAll(key: String?)

    /// A tenant's key sees its own tenant, an operator's key all.
    package init(_ caller: Caller) {
        switch caller.reach {
        case .tenant(let own): self = .reader(Reader(tenant: own, key: caller.keyID))
        case .allTenants: self = .ofAll(key: caller.keyID)
        }
    }
}
