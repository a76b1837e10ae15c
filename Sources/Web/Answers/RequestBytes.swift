// SPDX-License-Identifier: Apache-2.0
// The bytes of a request, read once and never more than the route accepts.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

struct RequestBytes: Sendable {
    let budget: BodyBudget

    /// Returns the whole body; `maximum` is in bytes. Asks a client for it who holds it back (`Expect`).
    ///
    /// Throws 413 for a body that is too long, before reading it when Content-Length shows that. Throws 415 for an
    /// encoded body, 400 for a body that cannot be read (a broken chunk), and 503 when bodies take too much memory.
    func read(_ request: Request, _ context: WebContext, upTo maximum: Int) async throws -> [UInt8] {
        let tooLarge = Problem(413, "body_too_large", "The body may have \(maximum) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > maximum { throw tooLarge }
        for encoding in request.headers[values: .contentEncoding] where encoding.lowercased() != "identity" {
            throw Problem(415, "content_encoding", "Content-Encoding must be absent or identity.")
        }
        if request.headers[.expect] != nil {
            context.channel.triggerUserOutboundEvent(RequestConduct.BodyEvent.isWanted, promise: nil)
        }
        var body = ByteBuffer()
        var hold = BodyBudget.Hold(self.budget)
        defer { hold.release() }
        do {
            for try await var part in request.body {
                guard body.readableBytes + part.readableBytes <= maximum else { throw tooLarge }
                body.writeBuffer(&part)
                guard hold.covers(body.storageCapacity) else { throw Problem.busy }
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem.unreadableBody
        }
        return Array(buffer: body)
    }
}
