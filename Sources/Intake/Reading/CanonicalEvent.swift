// SPDX-License-Identifier: Apache-2.0
// Reads the canonical event, as any back end may send it: what it asks for, or that it asks nothing of us.

package import Foundation
package import Model

/// `{"type":"user.created","timestamp":"…","data":{"user_id":"…","tenant_id":"…","email":"…"}}`; also `user.deleted`.
/// `data` may be a list of such objects: several users at once. Members of other names are passed, whatever they hold.
package enum CanonicalEvent {
    /// What a delivery asks for.
    package enum Meaning: Sendable, Equatable {
        /// `occurredAt` is the sender's time, nil when it gave none.
        case changes([Request], wanted: Wanted, occurredAt: Date?)
        /// A JSON object without a type, or with one that asks nothing of us. Its other members are not read.
        case nothing(type: String?)
    }

    /// One user whom the delivery is about.
    package struct Request: Sendable, Equatable {
        package var user: UserID
        package var tenant: TenantID?
        /// The place in the body: `data`, or `data[3]`. Errors name it.
        package var place: String
        /// What the user is called, where that is read. Nil: nothing is told.
        package var name: PersonName?
    }

    /// Users in one delivery at most.
    package static let maximumUsers = 1000
    /// How often one delivery may name the same user. Each time costs a statement of its own.
    package static let maximumRepeats = 8

    private static let members = ["type", "timestamp", "data"]
    private static let membersOfData = ["user_id", "tenant_id"]
    private static let membersWithNames = ["user_id", "tenant_id", "name", "email"]

    /// Reads a body. The error names the wrong member and never its value. `readsNames`: also what a sign-up calls its
    /// users, in the members `name` and `email`.
    package static func read(_ body: [UInt8], readsNames: Bool = false) throws(UnusableBody) -> Meaning {
        let event: JSONObject
        do { event = try JSONObject(body: body, reading: Self.members) } catch { throw UnusableBody(error) }
        // The type comes first: of an event that asks nothing of us, nothing else is read.
        let wanted: Wanted
        switch try event.member("type")?.text() {
        case "user.created": wanted = .live
        case "user.deleted": wanted = .gone
        case let type: return .nothing(type: type)
        }
        let members = readsNames && wanted == .live ? Self.membersWithNames : Self.membersOfData
        return .changes(
            try Self.requests(try event.member("data"), wanted, members), wanted: wanted,
            occurredAt: try Self.time(try event.member("timestamp")))
    }

    private static func requests(
        _ data: JSONView?, _ wanted: Wanted, _ members: [String]
    ) throws(UnusableBody) -> [Request] {
        if let list = try data?.list(upTo: Self.maximumUsers) { return try Self.requests(list, wanted, members) }
        guard data?.kind == .object else {
            throw .wrongValue(InvalidValue("data", "must be an object, or a list of objects"))
        }
        return [try Self.request(data, wanted, members, at: "data")]
    }

    private static func requests(
        _ list: [JSONView], _ wanted: Wanted, _ members: [String]
    ) throws(UnusableBody) -> [Request] {
        guard (1...Self.maximumUsers).contains(list.count) else {
            throw .wrongValue(InvalidValue("data", "must hold 1 to \(Self.maximumUsers) users"))
        }
        var requests: [Request] = []
        var times: [UserID: Int] = [:]
        for (place, data) in list.enumerated() {
            let request = try Self.request(data, wanted, members, at: "data[\(place)]")
            times[request.user, default: 0] += 1
            guard times[request.user, default: 0] <= Self.maximumRepeats else {
                throw .wrongValue(
                    InvalidValue("data[\(place)].user_id", "is named more than \(Self.maximumRepeats) times"))
            }
            requests.append(request)
        }
        return requests
    }

    private static func request(
        _ data: JSONView?, _ wanted: Wanted, _ names: [String], at place: String
    ) throws(UnusableBody) -> Request {
        guard let members = try data?.members(names) else {
            throw .wrongValue(InvalidValue(place, "must be an object"))
        }
        guard let user = try members.member("user_id")?.text() else {
            throw .wrongValue(InvalidValue("\(place).user_id", "must be a string"))
        }
        let name = try Self.tenant(try members.member("tenant_id"), at: place)
        do {
            let tenant = try name.map { (text) throws(InvalidValue) in try TenantID(text) }
            let id = try wanted == .live ? UserID(user) : UserID(existing: user)
            return Request(user: id, tenant: tenant, place: place, name: Self.name(in: members, of: names))
        } catch {
            // `UserID` and `TenantID` do not know their place in the body.
            let member = error.field == "user_id" ? "user_id" : "tenant_id"
            throw .wrongValue(InvalidValue("\(place).\(member)", error.reason))
        }
    }

    private static func tenant(_ value: JSONView?, at place: String) throws(UnusableBody) -> String? {
        guard let value, value.kind != .null else { return nil }
        guard let text = try value.text() else {
            throw .wrongValue(InvalidValue("\(place).tenant_id", "must be a string"))
        }
        return text
    }

    /// A name or an address of another form, or one that is there twice, counts as none.
    private static func name(in members: JSONObject, of names: [String]) -> PersonName? {
        guard names.count > Self.membersOfData.count else { return nil }
        return PersonName(told: try? members.member("name")?.text(), email: try? members.member("email")?.text())
    }

    /// Reads a time by RFC 3339. Nil when there is none, and when the sender has written one that was never set.
    private static func time(_ value: JSONView?) throws(UnusableBody) -> Date? {
        guard let value, value.kind != .null else { return nil }
        guard let text = try value.text() else { throw .wrongValue(SenderTime.error(at: "timestamp")) }
        do { return try SenderTime.read(text, at: "timestamp") } catch { throw .wrongValue(error) }
    }
}
