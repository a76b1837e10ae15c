// SPDX-License-Identifier: Apache-2.0
// Around every route: gives each request an id, and turns each error into its problem body.

import HTTPTypes
import Hummingbird
import Logging

struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    let logger: Logger

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let id = RequestIdentity.of(HTTPField.Name("x-request-id").flatMap { request.headers[$0] })
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = Problem.of(error, requestID: id, logger: self.logger).answer(requestID: id).response
        }
        // An answer to HEAD has no body (RFC 9110 section 9.3.2); bytes sent all the same would begin the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        for (name, value) in Answer.fieldsOfAll(requestID: id) {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }
}
