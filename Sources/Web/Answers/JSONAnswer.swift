// SPDX-License-Identifier: Apache-2.0
// A value as a JSON answer of the API that no cache may keep.

import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

enum JSONAnswer {
    static func response(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try JSONOutput.data(value))))
    }
}
