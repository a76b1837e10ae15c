// SPDX-License-Identifier: Apache-2.0
// Fields whose names HTTPTypes does not know.

import HTTPTypes

extension HTTPFields {
    /// Sets a field by its name in lower case. A text that is no field name sets nothing.
    mutating func set(_ name: String, _ value: String) {
        if let name = HTTPField.Name(name) { self[name] = value }
    }
}
