// SPDX-License-Identifier: Apache-2.0
// Asks the provider for a credential connection, which tells before the first create whether a tenant's id is right.

import NIOHTTP1

/// What the provider says of a credential connection.
package enum ConnectionState: Sendable {
    case active
    /// It is there, and switched off.
    case inactive
    /// The provider says that there is none of this id.
    case missing
    /// The question has no answer, so a create must show it. The text is a short reason.
    case unknown(String)
}

extension TelnyxClient {
    /// Asks for one credential connection (GET /credential_connections/{id}).
    ///
    /// A 404, or a 422 for an id that cannot be one, counts only with an error code of the provider. A stand-in for the
    /// provider, or a gateway before it, may not know the path.
    package func connection(_ id: String) async -> ConnectionState {
        /// The body holds a password, which is never decoded.
        struct Connection: Decodable { var active: Bool? }
        do throws(TelnyxFailure) {
            let reply = try await self.call(.GET, "/credential_connections/\(Self.encoded(id))", expecting: 200)
            let connection = try reply.read(TelnyxBody<Connection>.self).data
            return connection.active == false ? .inactive : .active
        } catch {
            if error.isNotFound || error.kind == .rejected, error.words.code != nil { return .missing }
            return .unknown(error.trace.httpStatus.map { "HTTP \($0)" } ?? error.words.text ?? "no answer")
        }
    }
}
