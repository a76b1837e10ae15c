// SPDX-License-Identifier: Apache-2.0
// Puts the secret into a header as it is: a value, a bearer token, or a name and a password.

import Foundation
import Model

struct HeaderSigning: Signing {
    let form: HeaderTerms.Form
    let secret: Secret<String>

    var secondsUntilStale: Int64? { nil }
    var showsSecret: Bool { true }

    func sign(_ draft: DeliveryDraft, at time: Date) -> SignedDelivery {
        let secret = self.secret.reveal()
        let header =
            switch self.form {
            case .value(let header): (name: header, value: secret)
            case .bearer: (name: "authorization", value: "Bearer \(secret)")
            case .basic(let user):
                (name: "authorization", value: "Basic \(Data("\(user):\(secret)".utf8).base64EncodedString())")
            }
        return SignedDelivery(headers: draft.headers + [header], body: draft.body)
    }
}
