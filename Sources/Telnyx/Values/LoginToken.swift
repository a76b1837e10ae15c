// SPDX-License-Identifier: Apache-2.0
// A WebRTC login token, and when it ends.

package import Foundation
package import Model

/// A WebRTC login token.
package struct LoginToken: Sendable {
    package var token: Secret<String>
    package var expiresAt: Date

    package init(token: Secret<String>, expiresAt: Date) {
        self.token = token
        self.expiresAt = expiresAt
    }
}

extension LoginToken {
    /// Reads the bare JWT of a 201, with or without white space and quotes around it.
    ///
    /// The signature is not checked: it is HS512, with a key that we do not have. The vendor's pages do not agree on
    /// how long a token is good, so its own `exp` says it.
    init?(body: Data) {
        var text = String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if text.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = String(text.dropFirst().dropLast()) }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        var payload = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        while payload.count % 4 != 0 { payload += "=" }
        struct Claims: Decodable { var exp: Double }
        guard let data = Data(base64Encoded: payload), let claims = try? JSONDecoder().decode(Claims.self, from: data)
        else {
            return nil
        }
        self.init(token: Secret(text), expiresAt: Date(timeIntervalSince1970: claims.exp))
    }
}
