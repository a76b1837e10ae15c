// SPDX-License-Identifier: Apache-2.0
// Requests that resemble a genuine one, and prove nothing.

import Foundation

enum Forgery {
    typealias Named = (name: String, request: HostileRequest)

    /// Returns forgeries of the sender's delivery of a body.
    static func all(of sender: HostileSender, _ body: [UInt8]) -> [Named] {
        let genuine = sender.signed(body)
        var all: [Named] = [
            ("another secret", sender.signed(body, secret: sender.otherSecret)),
            ("no header", HostileRequest(headers: [], body: body)),
            ("no header and no body", HostileRequest(headers: [], body: [])),
        ]
        if sender.coversBody {
            for (name, body) in Self.bodies(body) {
                all.append(("the body \(name)", HostileRequest(headers: genuine.headers, body: body)))
            }
        }
        for name in sender.proofNames { all += Self.headers(name, genuine) }
        all += Self.claims(of: sender, genuine)
        return all
    }

    private static func bodies(_ body: [UInt8]) -> [(name: String, body: [UInt8])] {
        var bodies: [(name: String, body: [UInt8])] = [
            ("is empty", []), ("is shorter", Array(body.dropLast())), ("is longer", body + [0x20]),
            ("begins with a blank", [0x20] + body), ("is there twice", body + body),
        ]
        for place in [0, body.count / 2, body.count - 1] {
            var changed = body
            changed[place] ^= 1
            bodies.append(("has one bit changed at \(place)", changed))
        }
        return bodies
    }

    /// One header is changed.
    private static func headers(_ name: String, _ genuine: HostileRequest) -> [Named] {
        guard let value = genuine.headers.first(where: { $0.name == name })?.value else { return [] }
        var all: [Named] = []
        func add(_ what: String, _ change: (inout HostileRequest) -> Void) {
            var request = genuine
            change(&request)
            all.append(("\(name) \(what)", request))
        }
        add("is missing") { $0.headers.removeAll { $0.name == name } }
        add("is there twice") { $0.headers.append((name, value)) }
        add("is there with another one") { $0.headers.append((name, "x")) }
        add("is there behind another one") { $0.headers.insert((name, "x"), at: 0) }
        var others = [
            "", " ", "x", "null", "0", "-1", "v1,", "t=,v1=", "Bearer", "Bearer ", value + "0",
            String(value.dropLast()), String(value.dropFirst()), String(repeating: "a", count: 6000), "%\(value)",
        ]
        // Beside a genuine signature of Standard Webhooks there may be others.
        if !name.hasSuffix("-signature") || !value.hasPrefix("v1,") {
            others += ["Basic \(value)", value + "," + value, value + " x"]
        }
        for other in others { add("is \(other.prefix(24))") { $0.set(name, other) } }
        for place in [0, value.utf8.count / 2, value.utf8.count - 1] {
            add("has one bit changed at \(place)") { $0.set(name, Self.flipped(value, place)) }
        }
        return all
    }

    /// Changes the lowest bit that leaves the letter one that a header may hold.
    private static func flipped(_ text: String, _ place: Int) -> String {
        var bytes = Array(text.utf8)
        for bit in [UInt8(1), 2, 4] where (0x21...0x7E).contains(bytes[place] ^ bit) {
            bytes[place] ^= bit
            break
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A proof that claims to be of another kind, or to be of no secret.
    private static func claims(of sender: HostileSender, _ genuine: HostileRequest) -> [Named] {
        let kinds: [(name: String, headers: [(name: String, value: String)])] = [
            ("an unsigned token", [("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")]),
            ("a name and no password", [("authorization", "Basic Og==")]),
            (
                "a signature of nothing",
                [("webhook-signature", "v1,"), ("webhook-id", "m"), ("webhook-timestamp", "0")]
            ),
            ("zeros", [("x-keycloak-signature", String(repeating: "0", count: 64))]),
            ("an empty list", [("workos-signature", "t=0, v1=")]),
        ]
        var all: [Named] = kinds.map { ($0.name, HostileRequest(headers: $0.headers, body: genuine.body)) }
        guard case .standard(let family) = sender.proof,
            let signature = genuine.headers.first(where: { $0.name == "\(family)-signature" })?.value
        else { return all }
        for scheme in ["v1a", "v2", "V1", "v1 "] {
            var request = genuine
            request.set("\(family)-signature", "\(scheme),\(signature.dropFirst(3))")
            all.append(("the scheme \(scheme)", request))
        }
        // The standard's headers come first, so genuine ones of the older family do not help.
        var both = genuine
        let other = family == "svix" ? "webhook" : "svix"
        both.headers += genuine.headers.filter { $0.name.hasPrefix(family) }.map {
            (name: $0.name.replacing(family, with: other), value: $0.value)
        }
        both.set("webhook-id", "msg_of_somebody_else")
        all.append(("the standard's headers are another delivery's", both))
        return all
    }
}
