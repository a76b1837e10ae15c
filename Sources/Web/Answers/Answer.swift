// SPDX-License-Identifier: Apache-2.0
// A small answer, the same for both paths: through the router, or straight from a connection's event loop.

import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [(String, String)]
    var body: String
    /// Whether the answer waits, because the client asks too much (`AnswerDelay`).
    var isHeldBack = false

    /// Returns the fields that every answer has.
    static func fieldsOfAll(requestID: String) -> [(String, String)] {
        [("x-request-id", requestID), ("x-content-type-options", "nosniff")]
    }

    /// Adds the fields that a router's answer gets from Hummingbird and `ProblemMiddleware`.
    mutating func complete(requestID: String, date: String) {
        // RFC 9110 section 8.6: a 204 has no length.
        if self.status != 204 { self.fields.append(("content-length", "\(self.body.utf8.count)")) }
        self.fields.append(("date", date))
        self.fields += Self.fieldsOfAll(requestID: requestID)
    }

    /// The answer in the connection's form.
    var head: HTTPResponseHead {
        HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: self.status), headers: HTTPHeaders(self.fields))
    }

    var bytes: IOData { .byteBuffer(ByteBuffer(string: self.body)) }

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
