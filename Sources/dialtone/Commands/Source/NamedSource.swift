// SPDX-License-Identifier: Apache-2.0
// The arguments by which a command names a source.

import ArgumentParser
import Composition
import Model

struct NamedSource: ParsableArguments {
    @Argument(
        help: "The name of the source.",
        completion: .custom { words, _, _ in await LiveValues.sources(words, .database) })
    var source: String
    @Option(
        name: .customLong("tenant"), help: "The tenant that the source belongs to; none for one of several.",
        completion: .custom { words, _, _ in await LiveValues.tenants(words, .database) })
    var owner: String?

    var tenant: TenantID? { get throws { try self.owner.map { try TenantID($0) } } }

    /// Reads tenants that are separated by commas.
    static func tenants(_ text: String) throws -> [TenantID] {
        try text.split(separator: ",").map { try TenantID(String($0)) }
    }
}
