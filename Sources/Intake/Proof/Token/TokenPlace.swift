// SPDX-License-Identifier: Apache-2.0
// Where a delivery carries its token: in a header, as the whole body, or in a member of a JSON body.

import Model

enum TokenPlace: Sendable, Equatable {
    /// With a scheme the header is `<scheme> <token>`, and otherwise the token alone.
    case header(String, scheme: String?)
    /// The names on the way to the token; none for the whole body.
    case body([String])

    private static let maximumDepth = 8

    /// Reads `"whole"`, or a JSON Pointer through objects (RFC 6901) such as `/data/jwt`.
    static func body(_ text: String, at place: String) throws(InvalidValue) -> TokenPlace {
        if text == "whole" { return .body([]) }
        let names = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        guard text.hasPrefix("/"), (1...Self.maximumDepth).contains(names.count) else {
            throw InvalidValue(place, "must be whole, or a JSON Pointer such as /data/jwt")
        }
        return .body(names)
    }

    var isInBody: Bool {
        if case .body = self { true } else { false }
    }

    /// The place as errors name it.
    var name: String {
        switch self {
        case .header(let name, _): name
        case .body(let names): names.isEmpty ? "the body" : "the body's \(names.joined(separator: "."))"
        }
    }

    func token(_ headers: Headers, _ body: [UInt8]) throws(ProofFailure) -> [UInt8] {
        switch self {
        case .header(let header, let scheme):
            let value = try HeaderValue.single(header, headers)
            guard value.utf8.count <= CompactToken.maximumBytesInHeader else {
                throw ProofFailure(.malformed, "\(header) is too long for a token")
            }
            guard let scheme else { return Array(value.utf8) }
            return Array(try HeaderValue.credentials(in: value, of: header, scheme: scheme).utf8)
        case .body(let names): return names.isEmpty ? body : try self.member(names, of: body)
        }
    }

    private func member(_ names: [String], of body: [UInt8]) throws(ProofFailure) -> [UInt8] {
        do {
            var view = try JSONObject(body: body, reading: [names[0]]).value(names[0])
            for name in names.dropFirst() {
                view = try view.flatMap { (view) throws(JSONError) in
                    try JSONObject(view, reading: [name])?.value(name)
                }
            }
            if let text = try view?.string() { return Array(text.utf8) }
        } catch {
            throw ProofFailure(.malformed, "\(self.name) cannot be read: the body \(error.reason)")
        }
        throw ProofFailure(.missing, "\(self.name) holds no token")
    }
}
