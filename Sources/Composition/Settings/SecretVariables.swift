// SPDX-License-Identifier: Apache-2.0
// Takes the secrets out of the process's environment: no child inherits them, and /proc shows none.

import Foundation
import Glibc
import Synchronization

package enum SecretVariables {
    /// The environment of the start, with its secrets. Without `take` it is the process's own.
    package static var environment: [String: String] {
        Self.taken.withLock { $0 } ?? ProcessInfo.processInfo.environment
    }

    private static let taken = Mutex<[String: String]?>(nil)

    /// Keeps a copy of the environment in memory and removes the secrets from the process's own.
    ///
    /// Must be called before any other thread may read the environment, because getenv(3) takes no lock.
    static func take() {
        let environment = ProcessInfo.processInfo.environment
        let names = Self.names(in: environment) { try? String(contentsOfFile: $0, encoding: .utf8) }
        Self.taken.withLock { $0 = environment }
        for name in names {
            guard let value = getenv(name) else { continue }
            // /proc/PID/environ shows the strings that execve(2) has put there, also after unsetenv(3).
            memset(value, 0, strlen(value))
            unsetenv(name)
        }
    }

    /// Returns the names of variables that hold secrets. `file` returns the text of the settings' file.
    ///
    /// The key-encryption key stands in a variable that `DIALTONE_KEK` names, or the file. A proxy's URL may hold a
    /// password.
    package static func names(in environment: [String: String], file: (String) -> String?) -> Set<String> {
        var names: Set<String> = [
            "DATABASE_URL", "DATABASE_DIRECT_URL", "TELNYX_API_KEY", "TELNYX_PROXY", "HTTPS_PROXY", "https_proxy",
            "DIALTONE_SOURCE_SECRET", "DIALTONE_API_KEY",
        ]
        if let name = Self.keyVariable(in: environment) { names.insert(name) }
        let path = environment["DIALTONE_CONFIG"].map { SettingText.cleaned($0) } ?? ""
        for match in (path.isEmpty ? "" : file(path) ?? "").matches(of: #/\bkek["']?\s*:\s*["']?env:(\w+)/#) {
            names.insert(String(match.1))
        }
        return names.intersection(environment.keys)
    }

    /// Returns the name of the variable that `DIALTONE_KEK` names, if it names one.
    static func keyVariable(in environment: [String: String]) -> String? {
        guard let place = environment["DIALTONE_KEK"].map({ SettingText.cleaned($0) }), place.hasPrefix("env:") else {
            return nil
        }
        return String(place.dropFirst("env:".count))
    }
}
