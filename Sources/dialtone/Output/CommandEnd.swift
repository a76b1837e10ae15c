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
        if error is InvalidValue || error is SettingsError { return 2 }
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

    /// Returns the error as a problem body on one line, for a command that was asked for JSON. The service has a page
    /// for each type.
    static func problem(_ error: any Error) -> String {
        if let body = (error as? ServiceProblem)?.body, let problem = try? JSONValue(parsing: Array(body.utf8)) {
            return JSONText.visible(problem.text)
        }
        let (status, code, title) = Self.kind(of: error)
        let text = """
            {"type":"/problems/\(code)","title":"\(title)","status":\(status),\
            "detail":\(JSONText.quoted("\(error)")),"code":"\(code)"}
            """
        return JSONText.visible(text)
    }

    private static func kind(of error: any Error) -> (status: Int, code: String, title: String) {
        switch Self.code(of: error) {
        case 2: (400, "invalid_value", "Bad Request")
        case 3: (404, "not_found", "Not Found")
        case 4: (401, "key_unknown", "Unauthorized")
        case 5: (409, "conflict", "Conflict")
        case 7: (503, "unavailable", "Service Unavailable")
        default: (500, "command_failed", "Internal Server Error")
        }
    }
}
