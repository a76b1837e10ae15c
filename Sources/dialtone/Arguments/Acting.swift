// SPDX-License-Identifier: Apache-2.0
// How a command that changes something works: in the database alone, which standard error names.

import Composition

enum Acting {
    /// Returns the operator's calls. The line on standard error says in which database they act.
    static func administration() async throws -> Administration {
        let settings = try await Settings.read()
        Terminal.tell(Door.actingWords(settings, environment: SecretVariables.environment))
        return Administration(settings)
    }
}
