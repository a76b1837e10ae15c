// SPDX-License-Identifier: Apache-2.0
// Reads the scopes of a new key from a command's option.

import Foundation
package import Model

extension Scope {
    /// Reads a list such as "users:read,login-tokens:create". A scope that is named twice counts once. The error for an
    /// unknown scope lists all that exist.
    package static func list(_ text: String) throws(InvalidValue) -> [Scope] {
        var scopes: [Scope] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = Scope(rawValue: part.trimmingCharacters(in: .whitespaces)) else {
                let all = Scope.allCases.map(\.rawValue).joined(separator: ", ")
                throw InvalidValue("scopes", "must be a comma-separated list of: \(all)")
            }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes
    }
}
