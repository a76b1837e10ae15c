// SPDX-License-Identifier: Apache-2.0
// Mints login tokens of the vendor's shape.

import Crypto
import Foundation

/// Signs JWTs with HS512 and a key that nobody else has.
struct LoginTokenSigner: Sendable {
    private let key = SymmetricKey(size: .bits256)

    func token(now: Date, expiry: Date) -> String {
        let issued = Int(now.timeIntervalSince1970)
        let header = Self.base64url(Data("{\"alg\":\"HS512\",\"typ\":\"JWT\"}".utf8))
        let claims = """
            {"aud":"telnyx_telephony","exp":\(Int(expiry.timeIntervalSince1970)),"iat":\(issued),\
            "iss":"telnyx_telephony","jti":"\(UUID().uuidString.lowercased())","nbf":\(issued - 1),\
            "sub":"\(UUID().uuidString.lowercased())","tel_token":"\(RandomText.letters(32))","typ":"access"}
            """
        let signed = "\(header).\(Self.base64url(Data(claims.utf8)))"
        let code = HMAC<SHA512>.authenticationCode(for: Data(signed.utf8), using: self.key)
        return "\(signed).\(Self.base64url(Data(code)))"
    }

    private static func base64url(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
