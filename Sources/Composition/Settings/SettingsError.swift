// SPDX-License-Identifier: Apache-2.0
// All settings that are wrong or missing, reported at once.

/// Each problem names its setting. No problem shows the value of a secret.
package struct SettingsError: Error, CustomStringConvertible {
    package let problems: [String]
    package var description: String { self.problems.joined(separator: "\n") }
}
