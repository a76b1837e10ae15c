// SPDX-License-Identifier: Apache-2.0
// How a command ends: its exit code, and what standard error says. Scripts may rely on both.

import ArgumentParser
import Composition
import Foundation
import Model

/// 0 done · 1 failed · 2 usage or setting · 3 not found · 4 key missing or not allowed · 5 not in that state ·
/// 6 differs or waits · 7 unavailable, try again · 8 timed out · 9 failed for good.
enum CommandEnd {
    static func code(of error: any Error) -> Int32 {
        if error is NotFound || error is UnknownUser { return 3 }
        return switch FailureKind.of(error) {
        case .failed: 1
        case .usage: 2
        case .notFound: 3
        case .notAllowed: 4
        case .wrongState: 5
        case .unavailable: 7
        }
    }

    /// Returns the error as a problem body, for a command that was asked for JSON.
    static func problem(_ error: any Error) -> String {
        if let body = (error as? ServiceProblem)?.body { return body }
        let (code, status) = Self.words(of: error)
        return """
            {"type":"/problems/\(code.replacing("_", with: "-"))","title":\(JSONText.quoted("\(error)")),\
            "status":\(status),"detail":\(JSONText.quoted("\(error)")),"code":"\(code)"}
            """
    }

    private static func words(of error: any Error) -> (code: String, status: Int) {
        switch Self.code(of: error) {
        case 2: ("invalid_value", 400)
        case 3: ("not_found", 404)
        case 4: ("key_unknown", 401)
        case 5: ("conflict", 409)
        case 7: ("unavailable", 503)
        default: ("failed", 500)
        }
    }
}
