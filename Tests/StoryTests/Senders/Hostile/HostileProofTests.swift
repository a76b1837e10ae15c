// SPDX-License-Identifier: Apache-2.0
// What is forged, replayed or out of its time is refused at every preset, over HTTP, and nothing of it is stored.

import Composition
import Foundation
import Model
import Testing

@Suite struct HostileProofTests {
    private typealias Stored = HostileDesk.Stored

    @Test func `there is a hostile sender for every preset`() {
        let presets = Administration.presetNames.split(separator: ", ").map(String.init)
        #expect(Set(presets) == Set(HostileSender.all.map(\.preset)) && HostileSender.all.count == 14)
    }

    @Test func `every forgery is refused, and nothing is stored`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, mark: "forged", in: story)
                let other = try await HostileDesk(
                    sender, mark: "other", secret: sender.otherSecret, in: story)
                for (name, request) in Forgery.all(of: sender, desk.body()) {
                    let reply = try await desk.send(request)
                    #expect(reply.status == 401, "\(sender.preset): \(name): \(reply.status) \(reply.body)")
                    #expect(reply.problem?.code == "bad_proof", "\(sender.preset): \(name)")
                    #expect(!reply.body.contains(sender.secret), "\(sender.preset): \(name)")
                }
                #expect(try await desk.stored() == Stored(), "\(sender.preset)")
                // What the other source's sender has signed is good there, and so is the genuine one here.
                let foreign = sender.signed(other.body(), secret: sender.otherSecret)
                #expect(try await desk.send(foreign).status == 401, "\(sender.preset)")
                #expect(try await other.send(foreign).status == other.status(of: .accepted), "\(sender.preset)")
                let genuine = try await desk.send(sender.signed(desk.body()))
                #expect(genuine.status == desk.status(of: .accepted), "\(sender.preset): \(genuine.body)")
            }
        }
    }

    @Test func `a delivery that is sent again counts once`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, mark: "again", in: story)
                let request = sender.signed(desk.body())
                #expect(try await desk.send(request).status == desk.status(of: .accepted), "\(sender.preset)")
                let stored = try await desk.stored()
                #expect(stored.events == 1 && stored.users == 1, "\(sender.preset): \(stored)")
                for attempt in 2...3 {
                    let again = try await desk.send(request)
                    #expect(again.status == desk.status(of: .duplicate), "\(sender.preset) \(attempt): \(again.body)")
                    #expect(again.body.isEmpty || again.outcome == .duplicate, "\(sender.preset): \(again.body)")
                }
                #expect(try await desk.stored() == stored, "\(sender.preset)")
            }
        }
    }

    /// The canonical sender is told; what any other one means is kept for an operator. A row of people may stay behind,
    /// because it is the lock under which the ledger is asked; it says nothing.
    @Test func `other content under a known id takes nobody in`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                let desk = try await HostileDesk(sender, mark: "reused", in: story)
                #expect(try await desk.send(sender.signed(desk.body())).status == desk.status(of: .accepted))
                let stored = try await desk.stored()
                let other = sender.body(
                    user: sender.isUserInID ? "\"u-1\"" : "\"u-2\"",
                    organization: desk.organization(sender.isUserInID ? "b" : "a"), id: "e-1")
                let reply = try await desk.send(sender.signed(other))
                let now = try await desk.stored()
                if sender.preset == "standard" {
                    #expect(reply.status == 409 && reply.problem?.code == "delivery_id_reused", "\(reply.body)")
                    #expect(now == stored)
                } else {
                    #expect(reply.status == desk.status(of: .quarantined), "\(sender.preset): \(reply.body)")
                    #expect(try await desk.reasons() == ["reused_id"], "\(sender.preset)")
                    #expect(now.users == 1 && now.members == 1, "\(sender.preset): \(now)")
                }
            }
        }
    }

    @Test func `a signed time is good up to the tolerance, both ways`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            for sender in HostileSender.all {
                guard let tolerance = sender.tolerance else { continue }
                let desk = try await HostileDesk(sender, mark: "time", in: story)
                let year: TimeInterval = 86_400 * 365
                for off in [tolerance + 1, -tolerance - 1, 3600, -3600, year, -year] {
                    let request = sender.signed(desk.body(), at: SenderStoryTests.clock + off)
                    let reply = try await desk.send(request)
                    #expect(reply.status == 401, "\(sender.preset) \(off): \(reply.body)")
                    #expect(reply.problem?.detail.contains(off > 0 ? "ahead" : "old") == true, "\(reply.body)")
                }
                #expect(try await desk.stored() == Stored(), "\(sender.preset)")
                for (number, off) in [tolerance, -tolerance].enumerated() {
                    let body = desk.body(user: "\"u-\(number)\"", id: "e-\(number)")
                    let request = sender.signed(body, id: "msg_\(number)", at: SenderStoryTests.clock + off)
                    let reply = try await desk.send(request)
                    #expect(reply.status == desk.status(of: .accepted), "\(sender.preset) \(off): \(reply.body)")
                }
            }
        }
    }

    /// Without a signed time only the ledger keeps an old delivery from counting twice.
    @Test func `without a signed time an old delivery is taken once`() async throws {
        try await Story.with(clock: SenderStoryTests.clock) { story in
            let senders = HostileSender.all.filter { $0.tolerance == nil }
            #expect(senders.count == 6)
            for sender in senders {
                let desk = try await HostileDesk(sender, mark: "old", in: story)
                let request = sender.signed(desk.body(time: "\"2025-11-23T11:59:30Z\""))
                #expect(try await desk.send(request).status == desk.status(of: .accepted), "\(sender.preset)")
                #expect(try await desk.send(request).status == desk.status(of: .duplicate), "\(sender.preset)")
                #expect(try await desk.stored().events == 1, "\(sender.preset)")
            }
        }
    }
}
