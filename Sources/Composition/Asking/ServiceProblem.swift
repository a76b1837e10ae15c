// SPDX-License-Identifier: Apache-2.0
// What the service answers when it does not do what was asked, as a command tells it.

import Foundation

/// A problem body (RFC 9457), or an answer that is none.
package struct ServiceProblem: Error, CustomStringConvertible, Sendable {
    package let status: Int
    /// The problem's code; nil: the answer is no problem body.
    package let code: String?
    package let detail: String
    package let requestID: String?
    /// The body as it came, for programs; nil: it was no problem body.
    package let body: String?

    init(status: Int, body: Data) {
        struct Body: Decodable {
            var code: String
            var detail: String
            var request_id: String?
        }
        let problem = try? JSONDecoder().decode(Body.self, from: body)
        self.status = status
        self.code = problem?.code
        let isRedirect = (300..<400).contains(status)
        self.detail =
            problem?.detail ?? (isRedirect ? "the service redirects (\(status))" : "the service answers \(status)")
        self.requestID = problem?.request_id
        self.body =
            problem == nil
            ? nil : String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    package var description: String {
        let facts = [self.code, self.requestID.map { "request \($0)" }].compactMap { $0 }.joined(separator: ", ")
        let text = facts.isEmpty ? self.detail : "\(self.detail) (\(self.status) \(facts))"
        return self.status == 401 ? text + "; check DIALTONE_API_KEY, or log in again: dialtone login" : text
    }
}
