// SPDX-License-Identifier: Apache-2.0
// A request to a hook that is refused, as the tally of refusals knows it: why, and the form of the request.

import HTTPTypes
import Intake
import Model
import NIOHTTP1

enum RefusedHook {
    /// Returns the reason of an error that ends a request to a hook. What nobody foresaw counts as `unavailable`.
    static func refusal(of error: any Error) -> Refusal {
        if let error = error as? IntakeError { return Refusal(error) }
        guard let problem = Problem(error) else { return .unavailable }
        switch problem.code {
        case "body_too_large": return .tooLarge
        case "content_encoding": return .encoded
        case "busy": return .busy
        default: return problem.status < 500 ? .unreadable : .unavailable
        }
    }

    static func lengths(of headers: HTTPHeaders) -> [HeaderLength] {
        headers.map { HeaderLength(name: $0.name, bytes: $0.value.utf8.count) }
    }

    static func lengths(of fields: HTTPFields) -> [HeaderLength] {
        fields.map { HeaderLength(name: $0.name.canonicalName, bytes: $0.value.utf8.count) }
    }
}

/// An error on its way to the log and the answer, with the source that it is about. The log names the source by its id
/// and never by its hook, which is half of what a sender needs.
struct ErrorOfSource: Error {
    let error: any Error
    let source: SourceID
}
