// SPDX-License-Identifier: Apache-2.0
// A small answer, the same for both paths: through the router, or straight from a connection's event loop.

import HTTPTypes
import Hummingbird
import NIOCore

struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [(String, String)]
    var body: String

    /// Returns the fields that every answer has.
    static func fieldsOfAll(requestID: String) -> [(String, String)] {
        [("x-request-id", requestID), ("x-content-type-options", "nosniff")]
    }

    /// The answer in the router's form.
    var response: Response {
        var headers = HTTPFields()
        for (name, value) in self.fields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: .init(integerLiteral: self.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: self.body)))
    }
}
