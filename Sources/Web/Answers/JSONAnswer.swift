// SPDX-License-Identifier: Apache-2.0
// A value as a JSON answer of the API: with a tag by which a reader sees that nothing has changed, or of a moment.

import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

enum JSONAnswer {
    /// Returns the value; 304 without a body when the request names its tag (RFC 9110 section 13.1.2). The tag is over
    /// the bytes, so it is a strong one.
    static func response(_ value: some Encodable, to request: Request, next: String? = nil) throws -> Response {
        let data = try JSONOutput.data(value)
        let tag = Self.tag(of: data)
        var headers: HTTPFields = [
            .contentType: "application/json", .cacheControl: "private, no-cache", .eTag: tag,
            .vary: "Accept, Authorization",
        ]
        if let next { headers.set("link", Self.link(request, next: next)) }
        if Self.names(tag, request.headers[values: .ifNoneMatch]) {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// Returns a value that says when it was true: always 200 with its body. Its bytes are never the same twice, so a
    /// tag would say nothing.
    static func ofMoment(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try JSONOutput.data(value))))
    }

    /// The first half of SHA-256 is long enough for a reader to see a change.
    private static func tag(of data: Data) -> String {
        let digits = SHA256.hash(data: data).prefix(16).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return "\"\(digits.joined())\""
    }

    /// A weak tag is compared without its mark (RFC 9110 section 8.8.3.2).
    private static func names(_ tag: String, _ values: [String]) -> Bool {
        let named = values.flatMap { value in
            value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let fitting: Set<String> = ["*", tag, "W/\(tag)"]
        return named.contains { fitting.contains($0) }
    }

    /// The same request with another `after` (RFC 8288).
    private static func link(_ request: Request, next: String) -> String {
        let rest = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("after=") }
        let query = (rest.map(String.init) + ["after=\(next)"]).joined(separator: "&")
        return "<\(request.uri.path)?\(query)>; rel=\"next\""
    }
}

/// `{"data":[…],"next":"…"}`; `next` is null on the last page.
struct Page<Element: Encodable>: Encodable {
    var data: [Element]
    @OrNull var next: String?
}
