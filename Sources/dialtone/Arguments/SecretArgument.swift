// SPDX-License-Identifier: Apache-2.0
// A secret for a command, from a file: every list of processes shows arguments, and none shows a file.

import Composition
import Foundation
import Model

enum SecretArgument {
    /// Returns the secret that the file holds. `option` is the option that names the file.
    static func read(_ path: String, option: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw InvalidValue(option, "names \(path), which cannot be read")
        }
        let secret = SettingText.cleaned(text)
        guard !secret.isEmpty else { throw InvalidValue(option, "names \(path), which is empty") }
        return secret
    }
}
