// SPDX-License-Identifier: Apache-2.0
// A value as a JSON answer of the API that no cache may keep.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

enum JSONAnswer {
    static func response(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
