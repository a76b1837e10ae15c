// SPDX-License-Identifier: Apache-2.0
// `dialtone send`: signs one event and sends it to a hook, as an identity provider would.

import AsyncHTTPClient
import Foundation
package import Model

package enum SendEvent {
    /// Sends one event that happens now. Returns the hook's answer.
    package static func run(
        url: String, secret: Secret<String>, type: String, user: UserKey, deliveryID: String
    ) async throws -> SignUpSender.Reply {
        guard URL(string: url)?.host != nil else { throw InvalidValue("--url", "must be the URL of a hook") }
        let http = HTTPClient()
        do {
            let reply = try await SignUpSender(url: url, secret: secret, http: http).send(
                type: type, user: user, deliveryID: deliveryID, at: Date())
            try await http.shutdown()
            return reply
        } catch {
            try? await http.shutdown()
            throw error
        }
    }
}
