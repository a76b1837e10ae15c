// SPDX-License-Identifier: Apache-2.0
// A response of the simulator before it is HTTP.

import Model

/// The response to one call.
struct SimulatedResponse: Sendable {
    var status: Int
    var body: String
    var contentType = "application/json"
    var headers: [(String, String)] = []

    /// Returns an error in the vendor's usual form, `{"errors":[…]}`.
    static func error(_ status: Int, _ code: String, _ title: String, _ detail: String) -> Self {
        Self(
            status: status,
            body: """
                {"errors":[{"code":"\(code)","title":\(JSONText.quoted(title)),"detail":\(JSONText.quoted(detail)),\
                "meta":{"url":"https://developers.telnyx.com/docs/overview/errors/\(code)"}}]}
                """)
    }

    static let tooManyRequests = Self.error(
        429, "10011", "Too many requests", "You have exceeded the rate limit.")

    static let unknownConnection = Self.error(
        422, "10013", "Missing association", "There is no connection with that connection_id.")

    static let notFound = Self.error(
        404, "10005", "Resource not found", "The requested resource or URL could not be found.")
}
