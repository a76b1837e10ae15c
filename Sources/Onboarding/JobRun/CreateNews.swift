// SPDX-License-Identifier: Apache-2.0
// What an operator hears of a create's outcome.

import Logging
import Telnyx

extension CreateOutcome {
    /// The line to log for this outcome on a connection; nil when it is no news.
    func news(connection: String) -> ThrottledLog.Line? {
        switch self {
        case .created: nil
        case .notSent(let reason):
            ThrottledLog.Line("the provider cannot be reached; jobs wait", metadata: ["reason": "\(reason)"])
        case .rateLimited(let wait, _):
            ThrottledLog.Line(
                "the provider asks to slow down", level: .notice, metadata: ["seconds": "\(wait.components.seconds)"])
        case .unauthorised(let scope, let trace):
            ThrottledLog.Line(
                "the provider refuses; creates stop until a probe works", level: .error, scope: connection,
                metadata: [
                    "status": "\(trace.httpStatus ?? 0)", "connection": "\(scope == .account ? "all" : connection)",
                ])
        case .rejected(let status, let words, _):
            ThrottledLog.Line(
                "the provider rejects a create", scope: connection,
                metadata: [
                    "status": "\(status)", "code": "\(words.code ?? "")", "words": "\(words.text ?? "")",
                    "connection": "\(connection)",
                ])
        case .inDoubt(_, let trace):
            ThrottledLog.Line(
                "a create's outcome is unknown; it is looked up", level: .notice,
                metadata: ["status": "\(trace.httpStatus ?? 0)"])
        }
    }
}
