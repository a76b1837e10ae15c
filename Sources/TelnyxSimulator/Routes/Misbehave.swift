// SPDX-License-Identifier: Apache-2.0
// Does a call wrongly, in the way that a fault names.

import Foundation
import HTTPTypes
import Hummingbird

extension ProviderRoutes {
    /// Does the call as the fault says. `act` is the call itself.
    func misbehave(
        _ fault: Fault, lag: Int?, _ fields: CredentialFields,
        _ act: (CredentialFields, Int?) throws -> SimulatedResponse
    ) async throws -> Response {
        let wait = Duration.milliseconds(fault.milliseconds ?? 0)
        switch fault.kind {
        case .delay:
            try await Task.sleep(for: wait)
            return Self.response(try act(fields, lag))
        case .listLag:
            return Self.response(try act(fields, lag))
        case .dropAfterCommit:
            _ = try act(fields, lag)
            return Response(status: .ok, body: .init(contentLength: 1) { _ in throw ConnectionDropped() })
        case .errorAfterCommit:
            _ = try act(fields, lag)
            return Self.response(.error(500, "10007", "Unexpected error", "An unexpected error occurred."))
        case .delayAfterCommit:
            let response = try act(fields, lag)
            try await Task.sleep(for: wait)
            return Self.response(response)
        case .lateCreate:
            self.account.createLate(fields, lag: lag, after: wait)
            return Self.response(.error(504, "10008", "Gateway timeout", "The request timed out."))
        case .rateLimited:
            return Self.response(Self.tooManyRequests(fault))
        case .empty500:
            return Response(status: .internalServerError)
        case .garbage:
            let response = try act(fields, lag)
            return Self.response(
                SimulatedResponse(status: response.status, body: "<html>oops</html>", contentType: "text/html"))
        case .status:
            if fault.milliseconds != nil { try await Task.sleep(for: wait) }
            if fault.status == 422, fault.connection_id != nil { return Self.response(.unknownConnection) }
            return Self.response(.error(fault.status ?? 503, "10037", "Service unavailable", "Try again later."))
        }
    }

    private static func tooManyRequests(_ fault: Fault) -> SimulatedResponse {
        var response = SimulatedResponse.tooManyRequests
        response.headers = [
            ("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", Self.reset(fault)),
        ]
        return response
    }

    /// Returns the header's value in the unit that the fault names, because the vendor's pages do not agree on one.
    private static func reset(_ fault: Fault) -> String {
        let wait = Double(fault.milliseconds ?? 1000) / 1000
        let now = Date().timeIntervalSince1970
        return switch fault.reset {
        case "epoch": "\(Int(now + wait))"
        case "epoch_ms": "\(Int((now + wait) * 1000))"
        case "past": "\(Int(now - wait))"
        default: "\(Int(wait))"
        }
    }
}

private struct ConnectionDropped: Error {}
