// SPDX-License-Identifier: Apache-2.0
// The page behind a problem's type: `GET /problems/{code}` says what the code means. It needs no key.

import HTTPTypes
import Hummingbird

struct ProblemRoutes: Sendable {
    func page(_ context: WebContext) throws -> Response {
        let code = try context.parameters.require("code")
        guard let row = ProblemMeaning.row(of: code) else { throw Problem.notFound }
        return Answer(
            status: 200, fields: [("content-type", "text/markdown; charset=utf-8"), ("cache-control", "max-age=3600")],
            body: row.page
        ).response
    }
}
