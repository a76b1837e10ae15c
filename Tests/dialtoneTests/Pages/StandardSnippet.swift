// SPDX-License-Identifier: Apache-2.0
// What the page of the standard sender has in Swift. A test holds the page to the text below the imports.

import Crypto
import Foundation

func headers(proving body: Data, secret: String, at now: Date) -> [String: String] {
    let id = "msg_\(UUID().uuidString)"
    let time = String(Int(now.timeIntervalSince1970))
    let key = SymmetricKey(data: Data(base64Encoded: String(secret.dropFirst("whsec_".count))) ?? Data())
    let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(time).".utf8) + body, using: key)
    return [
        "Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": time,
        "webhook-signature": "v1,\(Data(code).base64EncodedString())",
    ]
}
