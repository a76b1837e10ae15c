// SPDX-License-Identifier: Apache-2.0
// Around every route: gives each request an id, and turns each error into its problem body.

import HTTPTypes
import Hummingbird
import Logging

struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    let logger: Logger
    /// Nil for a listener that answers everybody at once.
    var unproven: UnprovenRequests?

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let id = RequestIdentity.of(HTTPField.Name("x-request-id").flatMap { request.headers[$0] })
        var response: Response
        do {
            response = try await next(request, context)
            if !request.uri.path.hasPrefix("/v1/") { await self.delayIfTooMany() }
        } catch {
            let counted = error as? CountedError
            let problem = Problem.of(counted?.error ?? error, requestID: id, logger: self.logger)
            response = problem.answer(requestID: id).response
            for (name, value) in counted?.fields ?? [] { response.headers.set(name, value) }
            await self.delay(problem)
        }
        // An answer to HEAD has no body (RFC 9110 section 9.3.2); bytes sent all the same would begin the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        for (name, value) in Answer.fieldsOfAll(requestID: id) {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }

    private func delay(_ problem: Problem) async {
        guard AnswerDelay.holds(problem) else {
            if UnprovenRequests.isOne(problem) { await self.delayIfTooMany() }
            return
        }
        await AnswerDelay.pass()
    }

    private func delayIfTooMany() async {
        guard let unproven, unproven.areTooMany(now: ContinuousClock.now) else { return }
        await AnswerDelay.pass()
    }
}
