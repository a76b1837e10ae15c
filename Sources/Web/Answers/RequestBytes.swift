// SPDX-License-Identifier: Apache-2.0
// The bytes of a request, read once and never more than the route accepts.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

enum RequestBytes {
    /// Returns the whole body; `maximum` is in bytes.
    ///
    /// Throws 413 for a body that is too long, before reading it when Content-Length shows that. Throws 415 for an
    /// encoded body, and 400 for a body that cannot be read (a broken chunk).
    static func read(_ request: Request, upTo maximum: Int) async throws -> [UInt8] {
        let tooLarge = Problem(413, "body_too_large", "The body may have \(maximum) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > maximum { throw tooLarge }
        for encoding in request.headers[values: .contentEncoding] where encoding.lowercased() != "identity" {
            throw Problem(415, "content_encoding", "Content-Encoding must be absent or identity.")
        }
        do {
            return Array(buffer: try await request.body.collect(upTo: maximum))
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            throw Problem(400, "unreadable_body", "The body could not be read to its end.")
        }
    }
}
