// SPDX-License-Identifier: Apache-2.0
// The arguments of a command on one user, and the line that such a command prints.

import ArgumentParser
import Composition
import Model

struct NamedUser: ParsableArguments {
    @Argument(
        help: "The user's id.",
        completion: .custom { words, _, prefix in await LiveValues.users(words, prefix, .database) })
    var user: String
    @Option(help: "The tenant.", completion: .custom { words, _, _ in await LiveValues.tenants(words, .database) })
    var tenant: String
    @Flag(help: "Print JSON.") var json = false

    var key: UserKey {
        get throws { UserKey(tenant: try TenantID(self.tenant), user: try UserID(existing: self.user)) }
    }

    /// Shows what came of an action: `words`, or the user's new status.
    func show(_ line: ActionLine, _ words: String? = nil) throws {
        if self.json { return try Terminal.show(json: line) }
        Terminal.show("user \(line.user_id) \(words ?? "is \(line.status)") (request \(line.request_id))")
    }
}
