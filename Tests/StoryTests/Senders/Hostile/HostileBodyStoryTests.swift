// SPDX-License-Identifier: Apache-2.0
// What a proven sender may not say is kept for an operator and answered with 2xx, at every preset, over HTTP.

import Foundation
import Model
import NIOHTTP1
import Testing

@Suite struct HostileBodyStoryTests {
    private typealias Stored = HostileDesk.Stored

    @Test func `garbage with a genuine proof is never an error of ours, and takes nobody in`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, mark: "garbage", in: story)
                for (number, garbage) in GarbageBody.all.enumerated() {
                    let user = "u-\(number)"
                    guard let body = garbage.bytes(desk, user) else { continue }
                    try await Self.expect(garbage, body, "msg_\(number)", at: desk)
                }
                // All of it has done the source no harm.
                let genuine = sender.signed(desk.body(user: "\"last\"", id: "last"), id: "msg_last")
                #expect(try await desk.send(genuine).status == desk.status(of: .accepted), "\(sender.preset)")
            }
            #expect(try await story.request(.GET, "/healthz").status == 200)
        }
    }

    private static func expect(
        _ garbage: GarbageBody, _ body: [UInt8], _ id: String, at desk: HostileDesk
    ) async throws {
        let place = "\(desk.sender.preset): \(garbage.name)"
        var request = desk.sender.signed(body, id: id)
        if let type = garbage.contentType { request.set("content-type", type) }
        let before = try await desk.stored()
        let reply = try await desk.send(request)
        var expected = before
        switch Self.end(of: garbage, at: desk.sender) {
        case .refused(let status): #expect(reply.status == status, "\(place): \(reply.status) \(reply.body)")
        case .ignored: #expect(reply.status == desk.status(of: .ignored), "\(place): \(reply.status) \(reply.body)")
        case .quarantined:
            #expect(reply.status == desk.status(of: .quarantined), "\(place): \(reply.status) \(reply.body)")
            #expect(reply.body.isEmpty || reply.outcome == .quarantined, "\(place): \(reply.body)")
            expected.events += 1
            expected.quarantined += 1
        case .accepted:
            #expect(reply.status == desk.status(of: .accepted), "\(place): \(reply.status) \(reply.body)")
            expected.events += 1
            expected.users += 1
            // A source whose words all name their tenant keeps no facts on people.
            guard desk.sender.preset != "standard" else { break }
            expected.people += 1
            expected.members += 1
        }
        #expect(try await desk.stored() == expected, "\(place)")
    }

    private static func end(of garbage: GarbageBody, at sender: HostileSender) -> GarbageBody.End {
        if sender.preset == "standard" {
            return garbage.canonical == 202 ? .accepted : .refused(garbage.canonical)
        }
        // The content type says which form a CloudEvent has. In binary mode its id is in a header.
        if sender.preset == "cloudevents" && garbage.contentType != nil { return .quarantined }
        return garbage.end
    }
}
