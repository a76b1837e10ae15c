// SPDX-License-Identifier: Apache-2.0
// The apps' back ends: they ask for login tokens all the while, and hold every answer against what was acknowledged.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks for tokens of users picked by chance, about ten times a second.
///
/// A delete that was acknowledged before the request left, and no newer sign-up: then no token may come. The senders'
/// own time decides which word is newer. Both are read in this order: deletes before the request leaves, sign-ups after
/// the answer has come. So an answer that might be right is never blamed.
final class TokenClient: Sendable {
    private let deployment: Deployment
    private let senders: Senders
    private let state = Mutex(TokenCounts())

    init(_ deployment: Deployment, _ senders: Senders) {
        self.deployment = deployment
        self.senders = senders
    }

    var counts: TokenCounts { self.state.withLock { $0 } }

    /// Asks until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    while !Task.isCancelled {
                        await self.askOnce()
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 50...300)))
                    }
                }
            }
        }
    }

    private func askOnce() async {
        guard let asked = self.senders.pickUser() else { return }
        let status = try? await self.ask(asked)
        if Task.isCancelled { return }
        let mayHaveToken = self.senders.mayHaveToken(asked)
        self.state.withLock { $0.add(status, to: asked, mayHaveToken: mayHaveToken) }
    }

    /// Asks either API process. Every other request waits up to two seconds for a user who is not ready.
    private func ask(_ asked: Senders.Asked) async throws -> Int {
        var request = HTTPClientRequest(url: (self.deployment.apis.randomElement() ?? "") + "/v1/login-tokens")
        request.method = .POST
        request.headers = [
            "authorization": "Bearer \(self.deployment.hooks[asked.tenant].key)", "content-type": "application/json",
        ]
        if Bool.random() { request.headers.add(name: "prefer", value: "wait=2") }
        request.body = .bytes(try JSONEncoder().encode(["user_id": asked.user]))
        let answer = try await self.deployment.http.execute(request, timeout: .seconds(10))
        _ = try await answer.body.collect(upTo: 65_536)
        return Int(answer.status.code)
    }
}
