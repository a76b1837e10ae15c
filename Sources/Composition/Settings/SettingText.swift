// SPDX-License-Identifier: Apache-2.0
// The value of a setting, without what editors, env files and secret stores put around it.

import Foundation

package enum SettingText {
    /// Returns the text without blanks, line ends (CRLF too) and byte-order mark around it, and without quotes that
    /// enclose all of it.
    ///
    /// An env file for `docker run` or systemd is no shell script: there `NAME="value"` may keep its quotes, and a file
    /// that was saved on Windows its carriage returns.
    package static func cleaned(_ text: String) -> String {
        let bare = text.trimmingCharacters(in: Self.surroundings)
        guard bare.count >= 2, let quote = bare.first, quote == "\"" || quote == "'", bare.last == quote else {
            return bare
        }
        return bare.dropFirst().dropLast().trimmingCharacters(in: Self.surroundings)
    }

    private static let surroundings = CharacterSet.whitespacesAndNewlines.union(.controlCharacters)

    /// Returns the names of variables that an env file has spoilt, without their blanks and line ends.
    ///
    /// The shell and `docker run` take a carriage return as part of the name that stands before it. Named is each
    /// variable that the program reads: its settings, those that other programs read too, and the one that
    /// `DIALTONE_KEK` names.
    static func spoiltNames(in environment: [String: String]) -> [String] {
        let names = Self.sharedNames.union([SecretVariables.keyVariable(in: environment)].compactMap { $0 })
        return environment.keys.compactMap { name in
            let bare = name.trimmingCharacters(in: Self.surroundings)
            let isRead = names.contains(bare) || Self.prefixes.contains { bare.hasPrefix($0) }
            return isRead && bare != name ? bare : nil
        }.sorted()
    }

    private static let prefixes = ["DATABASE_", "DIALTONE_", "TELNYX_"]
    /// See `SettingsSource.shared`.
    private static let sharedNames: Set<String> = ["HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy"]
}
