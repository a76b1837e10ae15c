// SPDX-License-Identifier: Apache-2.0
// No sender of any preset signs anybody up for a tenant that its source may not speak for, over HTTP.

import Foundation
import Model
import Testing

@Suite struct ForeignTenantTests {
    private typealias Stored = HostileDesk.Stored

    /// With one tenant every person is that tenant's, whatever organisation is named, and memberships are passed over.
    @Test func `a source with one tenant speaks for no other`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, .fixed, mark: "fixed", in: story)
                let foreign = sender.body(user: "\"u-1\"", organization: desk.organization("b"), id: "e-1")
                let reply = try await desk.send(sender.signed(foreign))
                #expect(try await desk.users("b") == 0, "\(sender.preset)")
                if sender.preset == "standard" {
                    #expect(reply.status == 422 && reply.problem?.code == "tenant_not_allowed", "\(reply.body)")
                    #expect(try await desk.stored() == Stored())
                } else if sender.isMembershipAlone {
                    #expect(reply.status == desk.status(of: .ignored), "\(sender.preset): \(reply.body)")
                    #expect(try await desk.stored() == Stored(), "\(sender.preset)")
                } else {
                    #expect(reply.status == desk.status(of: .accepted), "\(sender.preset): \(reply.body)")
                    #expect(try await desk.users("a") == 1, "\(sender.preset)")
                }
            }
        }
    }

    @Test func `a tenant that is not on the source's list is not spoken for`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, .allowed, mark: "allowed", in: story)
                for (number, organization) in [desk.organization("b"), "\"nobody\"", "\"No Slug\""].enumerated() {
                    let body = sender.body(user: "\"u-\(number)\"", organization: organization, id: "e-\(number)")
                    let reply = try await desk.send(sender.signed(body, id: "msg_\(number)"))
                    if sender.preset == "standard" {
                        #expect(reply.status == 422, "\(organization): \(reply.body)")
                    } else {
                        #expect(reply.status == desk.status(of: .quarantined), "\(sender.preset): \(reply.body)")
                    }
                }
                let count = sender.preset == "standard" ? 0 : 3
                #expect(
                    try await desk.stored() == Stored(events: count, quarantined: count), "\(sender.preset)")
                let own = sender.signed(desk.body(id: "own"), id: "msg_own")
                #expect(try await desk.send(own).status == desk.status(of: .accepted), "\(sender.preset)")
                #expect(try await desk.users("a") == 1, "\(sender.preset)")
            }
        }
    }

    /// The organisation's id is the tenant's own here, and that does not make it one.
    @Test func `an organisation that nobody has mapped takes nobody in`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all where sender.preset != "standard" {
                let desk = try await HostileDesk(sender, mark: "unmapped", in: story)
                for (number, organization) in ["\"org-c\"", "\"\(desk.tenant("a"))\"", "\"ORG-A\"", "\" org-a\""]
                    .enumerated()
                {
                    let body = sender.body(user: "\"u-\(number)\"", organization: organization, id: "e-\(number)")
                    let reply = try await desk.send(sender.signed(body, id: "msg_\(number)"))
                    #expect(reply.status == desk.status(of: .quarantined), "\(sender.preset): \(reply.body)")
                    #expect(reply.body.isEmpty || reply.outcome == .quarantined, "\(sender.preset): \(reply.body)")
                }
                let stored = try await desk.stored()
                #expect(
                    stored.events == 4 && stored.quarantined == 4 && stored.users == 0, "\(sender.preset): \(stored)")
                #expect(try await desk.reasons() == Array(repeating: "unmapped", count: 4), "\(sender.preset)")
            }
        }
    }
}
