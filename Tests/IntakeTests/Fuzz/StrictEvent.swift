// SPDX-License-Identifier: Apache-2.0
// A second reading of the canonical event, from a body that the strict reader has read whole.

import Foundation

@testable import Intake
@testable import Model

enum StrictEvent {
    /// Returns what `CanonicalEvent.read` must return; nil where it must refuse.
    static func meaning(of event: JSONValue) -> CanonicalEvent.Meaning? {
        let wanted: Wanted
        switch event["type"] {
        case .string("user.created"): wanted = .live
        case .string("user.deleted"): wanted = .gone
        case let type: return .nothing(type: type?.string)
        }
        var requests: [CanonicalEvent.Request] = []
        switch event["data"] {
        case .array(let list):
            guard (1...1000).contains(list.count) else { return nil }
            for (place, data) in list.enumerated() {
                guard let request = Self.request(data, wanted, at: "data[\(place)]") else { return nil }
                requests.append(request)
            }
            let times = Dictionary(grouping: requests, by: \.user).values.map(\.count).max() ?? 0
            guard times <= 8 else { return nil }
        case let data?:
            guard let request = Self.request(data, wanted, at: "data") else { return nil }
            requests = [request]
        case nil: return nil
        }
        switch event["timestamp"] {
        case nil, .null: return .changes(requests, wanted: wanted, occurredAt: nil)
        case .string(let text):
            guard let date = RFC3339.date(text) else { return nil }
            return .changes(requests, wanted: wanted, occurredAt: date.timeIntervalSince1970 < 1 ? nil : date)
        default: return nil
        }
    }

    private static func request(
        _ data: JSONValue, _ wanted: Wanted, at place: String
    ) -> CanonicalEvent.Request? {
        guard case .object = data, let text = data["user_id"]?.string,
            let user = try? wanted == .live ? UserID(text) : UserID(existing: text)
        else {
            return nil
        }
        switch data["tenant_id"] {
        case nil, .null: return CanonicalEvent.Request(user: user, tenant: nil, place: place)
        case .string(let text):
            return TenantID(rawValue: text).map { CanonicalEvent.Request(user: user, tenant: $0, place: place) }
        default: return nil
        }
    }
}
