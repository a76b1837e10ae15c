// SPDX-License-Identifier: Apache-2.0
// The contract of the API as it is served: docs/openapi.yaml, made into JSON by scripts/openapi.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

enum Contract {
    /// `GET /openapi.json`: OpenAPI 3.1, the same bytes for everybody.
    static func response(to request: Request) -> Response {
        let bytes = PackageResources.openapi_json
        let tag = "\"\(bytes.count)-\(Self.fingerprint)\""
        var headers: HTTPFields = [
            .contentType: "application/json", .cacheControl: "public, max-age=300", .eTag: tag,
            .accessControlAllowOrigin: "*",
        ]
        if request.headers[.ifNoneMatch] == tag {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// FNV-1a, 64 bits (the hash of Fowler, Noll and Vo).
    private static let fingerprint: String = {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in PackageResources.openapi_json { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }()
}
