// SPDX-License-Identifier: Apache-2.0
// Reads the canonical event, as any back end may send it: what it asks for, or that it asks nothing of us.

package import Foundation
package import Model

/// `{"type":"user.created","timestamp":"…","data":{"user_id":"…","tenant_id":"…","email":"…"}}`; also `user.deleted`.
/// `data` may be a list of such objects: several users at once. Unknown members are ignored.
package enum CanonicalEvent {
    /// What a delivery asks for.
    package enum Meaning: Sendable, Equatable {
        /// `occurredAt` is the sender's time, nil when it gave none.
        case changes([Request], wanted: Wanted, occurredAt: Date?)
        /// A type that asks nothing of us.
        case nothing(type: String)
    }

    /// One user whom the delivery is about.
    package struct Request: Sendable, Equatable {
        package var user: UserID
        package var tenant: TenantID?
        /// The place in the body: `data`, or `data[3]`. Errors name it.
        package var place: String
    }

    /// Users in one delivery at most.
    package static let maximumUsers = 1000
    /// How often one delivery may name the same user. Each time costs a statement of its own.
    package static let maximumRepeats = 8

    /// Reads a body. The error names the wrong member and never its value.
    package static func read(_ body: [UInt8]) throws(InvalidValue) -> Meaning {
        let event = try Self.parse(body)
        guard case .object = event else { throw InvalidValue("body", "must be a JSON object") }
        guard let type = event["type"]?.string, (1...100).contains(type.utf8.count) else {
            throw InvalidValue("type", "must be a string such as \"user.created\"")
        }
        let wanted: Wanted
        switch type {
        case "user.created": wanted = .live
        case "user.deleted": wanted = .gone
        default: return .nothing(type: type)
        }
        return .changes(
            try Self.requests(event["data"]), wanted: wanted, occurredAt: try Self.time(event["timestamp"]))
    }

    private static func parse(_ body: [UInt8]) throws(InvalidValue) -> JSONValue {
        do {
            return try JSONValue(parsing: body)
        } catch {
            throw InvalidValue("body", "\(error.reason) (at byte \(error.offset))")
        }
    }

    private static func requests(_ data: JSONValue?) throws(InvalidValue) -> [Request] {
        switch data {
        case .object: return [try Self.request(data, at: "data")]
        case .array(let list):
            guard (1...Self.maximumUsers).contains(list.count) else {
                throw InvalidValue("data", "must hold 1 to \(Self.maximumUsers) users")
            }
            var requests: [Request] = []
            var times: [UserID: Int] = [:]
            for (place, data) in list.enumerated() {
                let request = try Self.request(data, at: "data[\(place)]")
                times[request.user, default: 0] += 1
                guard times[request.user, default: 0] <= Self.maximumRepeats else {
                    throw InvalidValue("data[\(place)].user_id", "is named more than \(Self.maximumRepeats) times")
                }
                requests.append(request)
            }
            return requests
        case nil, .null, .bool, .number, .string: throw InvalidValue("data", "must be an object, or a list of objects")
        }
    }

    private static func request(_ data: JSONValue?, at place: String) throws(InvalidValue) -> Request {
        guard let data, case .object = data else { throw InvalidValue(place, "must be an object") }
        guard let user = data["user_id"]?.string else { throw InvalidValue("\(place).user_id", "must be a string") }
        do {
            return Request(
                user: try UserID(user), tenant: try Self.tenant(data["tenant_id"], at: place), place: place)
        } catch {
            // `UserID` and `TenantID` do not know their place in the body.
            let field =
                error.field.hasPrefix(place)
                ? error.field : "\(place).\(error.field == "user_id" ? "user_id" : "tenant_id")"
            throw InvalidValue(field, error.reason)
        }
    }

    private static func tenant(_ value: JSONValue?, at place: String) throws(InvalidValue) -> TenantID? {
        switch value {
        case nil, .null: return nil
        case .string(let text): return try TenantID(text)
        case .bool, .number, .array, .object: throw InvalidValue("\(place).tenant_id", "must be a string")
        }
    }

    /// Reads a time by RFC 3339, with or without fractions of a second. Nil when there is none.
    private static func time(_ value: JSONValue?) throws(InvalidValue) -> Date? {
        switch value {
        case nil, .null: return nil
        case .string(let text):
            guard let date = RFC3339.date(text) else {
                throw InvalidValue("timestamp", "must be an RFC 3339 time such as 2026-01-01T00:00:00Z")
            }
            return date
        case .bool, .number, .array, .object:
            throw InvalidValue("timestamp", "must be an RFC 3339 time such as 2026-01-01T00:00:00Z")
        }
    }
}
