// SPDX-License-Identifier: Apache-2.0
// How a command works that knows no other way than the database: standard error names it.

import Composition

enum Acting {
    /// Returns the operator's calls that change something. The line on standard error says in which database they act.
    static func administration() async throws -> Administration { try await Self.told(.acting) }

    /// Returns the operator's calls that only read, and for which the API has no route.
    static func reading() async throws -> Administration { try await Self.told(.asking) }

    private static func told(_ verb: Door.DatabaseVerb) async throws -> Administration {
        let settings = try await Settings.read()
        Terminal.tell(Door.databaseWords(verb, settings, environment: SecretVariables.environment))
        return Administration(settings)
    }
}
