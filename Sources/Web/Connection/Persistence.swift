// SPDX-License-Identifier: Apache-2.0
// What a request's head says about its connection: does it stay, and does the client want another protocol?

import NIOHTTP1

/// What happens to a connection after the answer (RFC 9112 section 9.3).
enum Persistence: Equatable {
    case stays
    /// HTTP/1.0 has asked for it, and the answer must say so.
    case staysAndSaysSo
    case closes

    /// Tokens have no case and come in lists, also in several header lines (RFC 9110 section 7.6.1).
    init(_ head: HTTPRequestHead) {
        let isOld = head.version.minor == 0
        // Such framing is faulty (RFC 9112 section 6.1), and the parser heeds this name like `Connection`.
        let isFaulty = isOld && head.headers.contains(name: "transfer-encoding")
        if isFaulty || head.headers.contains(name: "proxy-connection") {
            self = .closes
            return
        }
        guard head.headers.contains(name: "connection") else {
            self = isOld ? .closes : .stays
            return
        }
        let tokens = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
        if tokens.contains("close") {
            self = .closes
        } else if isOld {
            self = tokens.contains("keep-alive") ? .staysAndSaysSo : .closes
        } else {
            self = .stays
        }
    }
}

/// Whether a client asks for another protocol (RFC 9110 section 7.8). A server may ignore that, and this one does.
enum UpgradeWish {
    case none
    /// The parser stops after this request, because it takes the rest for the other protocol.
    case stopsParser
    /// The parser may or may not stop. Nobody can tell where the next request would begin.
    case unclear

    init(_ head: HTTPRequestHead) {
        guard head.headers.contains(name: "upgrade") else {
            self = .none
            return
        }
        // The parser heeds the second name like the first.
        guard !head.headers.contains(name: "proxy-connection") else {
            self = .unclear
            return
        }
        let (connections, upgrades) = (head.headers["connection"], head.headers["upgrade"])
        if connections.isEmpty {
            self = .none
        } else if connections.count == 1, upgrades.count == 1, !upgrades[0].isEmpty,
            head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" })
        {
            self = .stopsParser
        } else if connections.contains(where: { $0.lowercased().contains("upgrade") }) {
            self = .unclear
        } else {
            self = .none
        }
    }
}

/// What a client expects before it sends its body (RFC 9110 section 10.1.1).
enum Expectation {
    case none
    case toContinue
    case unknown

    /// HTTP/1.0 does not have it. A body that is empty needs no leave.
    init(_ head: HTTPRequestHead) {
        guard head.version.minor > 0, head.headers.contains(name: "expect") else {
            self = .none
            return
        }
        let wishes = head.headers[canonicalForm: "expect"].filter { !$0.isEmpty }
        if wishes.contains(where: { $0.lowercased() != "100-continue" }) {
            self = .unknown
        } else if wishes.isEmpty || Self.hasNoBody(head) {
            self = .none
        } else {
            self = .toContinue
        }
    }

    private static func hasNoBody(_ head: HTTPRequestHead) -> Bool {
        !head.headers.contains(name: "transfer-encoding") && (head.headers.first(name: "content-length") ?? "0") == "0"
    }
}
