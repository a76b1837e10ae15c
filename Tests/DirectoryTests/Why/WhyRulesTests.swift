// SPDX-License-Identifier: Apache-2.0
// Each reason of the closed set comes from its facts, says a sentence, and is no other's.

import Foundation
import Model
import Testing

@testable import Directory

@Suite struct WhyRulesTests {
    private static let now = Date(timeIntervalSince1970: 1_795_687_200)

    private static func user(
        _ wanted: Wanted = .live, _ status: UserStatus = .pending, job state: JobState? = nil
    ) -> UserFacts {
        var facts = UserFacts(
            wanted: wanted, status: status, generation: 1, receivedAt: Self.now - 60, readyAt: nil, heldAt: nil)
        if let state {
            facts.job = UserFacts.Job(
                state: state, generation: 1, runAt: Self.now + 8, leaseUntil: Self.now + 30, quietUntil: nil,
                enqueuedAt: Self.now - 60, attempts: 0, waitsFor: nil, isDoubtful: false, reason: nil, words: nil,
                ahead: state == .queued ? 2 : nil)
        }
        return facts
    }

    private static func changed<Value>(_ value: Value, _ change: (inout Value) -> Void) -> Value {
        var value = value
        change(&value)
        return value
    }

    private static func tenant(_ change: (inout TenantFacts) -> Void = { _ in }) -> TenantFacts {
        Self.changed(TenantFacts(), change)
    }

    private static func stopped(_ scope: TenantFacts.Breaker.Scope) -> TenantFacts {
        Self.tenant { $0.breaker = .init(scope: scope, since: Self.now - 9, until: Self.now + 12, reason: "HTTP 403") }
    }

    private static let ready = Self.changed(Self.user(.live, .ready)) { facts in
        facts.readyAt = Self.now - 50
        facts.serving = UserFacts.Serving(generation: 1, createdAt: Self.now - 50, missingSince: nil)
    }

    /// One case for each reason, but for `unknown`, which no user has.
    private static let cases: [(code: WhyCode, user: UserFacts, tenant: TenantFacts)] = [
        (.inLine, Self.user(job: .queued), Self.tenant()),
        (.beingMade, Self.user(job: .armed), Self.tenant()),
        (
            .tryingAgain,
            Self.changed(Self.user(job: .scheduled)) {
                $0.job?.attempts = 3
                $0.lastCall = .init(at: Self.now - 4, httpStatus: 500, code: "10001")
            }, Self.tenant()
        ),
        (.makingSure, Self.changed(Self.user(job: .inDoubt)) { $0.job?.isDoubtful = true }, Self.tenant()),
        (.makingSure, Self.changed(Self.user(job: .looking)) { $0.job?.isDoubtful = true }, Self.tenant()),
        (.afterRestart, Self.user(job: .inDoubt), Self.tenant { $0.isSeen = false }),
        (.slowDown, Self.user(job: .queued), Self.tenant { $0.pausedUntil = Self.now + 5 }),
        (.rateLimited, Self.user(job: .scheduled), Self.tenant { $0.rate = 5 }),
        (.keyRefused, Self.user(job: .queued), Self.stopped(.account)),
        (.connectionRefused, Self.user(job: .scheduled), Self.stopped(.connection)),
        (.tenantRefused, Self.user(job: .queued), Self.stopped(.tenant)),
        (.noWorker, Self.user(job: .queued), Self.tenant { $0.hasWorker = false }),
        (.forgotten, Self.user(), Self.tenant()),
        (
            .rejected,
            Self.changed(Self.user(.live, .failed, job: .dead)) {
                $0.job?.reason = "rejected"
                $0.job?.words = "10017 no such connection"
            }, Self.tenant()
        ),
        (
            .gaveUp,
            Self.changed(Self.user(.live, .failed, job: .dead)) {
                $0.job?.reason = "too_many_attempts"
                $0.job?.attempts = 20
            }, Self.tenant()
        ),
        (.ready, Self.ready, Self.tenant()),
        (
            .readyNewComing,
            Self.changed(Self.ready) {
                $0.generation = 2
                $0.job = Self.changed(Self.user(job: .armed)) { $0.job?.generation = 2 }.job
            }, Self.tenant()
        ),
        (.readyOldLeaving, Self.changed(Self.ready) { $0.olderServesUntil = Self.now + 600 }, Self.tenant()),
        (.readyMissing, Self.changed(Self.ready) { $0.serving?.missingSince = Self.now - 3 }, Self.tenant()),
        (.removing, Self.user(.gone, .revoking, job: .queued), Self.tenant()),
        (.heldBack, Self.user(.gone, .revoking, job: .scheduled), Self.tenant { $0.isStopped = true }),
        (.removed, Self.changed(Self.user(.gone, .revoked)) { $0.lastDeletedAt = Self.now - 5 }, Self.tenant()),
        (.removedByOperator, Self.changed(Self.user(.gone, .revoked)) { $0.heldAt = Self.now - 5 }, Self.tenant()),
        (.removedUnclear, Self.changed(Self.user(.gone, .revoked)) { $0.unclearSince = Self.now - 5 }, Self.tenant()),
    ]

    @Test func `each reason comes from its own facts`() {
        for (code, user, tenant) in Self.cases {
            #expect(Why.of(user, tenant, now: Self.now).code == code)
        }
        #expect(Set(Self.cases.map(\.code)).union([.unknown]) == Set(WhyCode.allCases))
    }

    @Test func `a reason is one sentence without its subject, and says what happens next`() {
        for (code, user, tenant) in Self.cases {
            let why = Why.of(user, tenant, now: Self.now)
            let first = why.text.split(separator: " ").first.map(String.init)
            #expect(["is", "has", "was", "waits", "could"].contains(first), "\(code): \(why.text)")
            #expect(!why.text.hasSuffix(".") && why.text.split(separator: " ").count <= 25, "\(code): \(why.text)")
            switch why.code.kind {
            case .waits where ![.forgotten, .noWorker, .inLine, .heldBack, .readyMissing].contains(code):
                #expect(why.nextAt != nil, "\(code) says when it goes on")
            case .failed: #expect(why.action != nil, "\(code) says what to do")
            default: break
            }
        }
    }

    @Test func `what holds a whole tenant up is said before what holds up one user`() {
        let user = Self.changed(Self.user(job: .scheduled)) { $0.job?.attempts = 3 }
        #expect(Why.of(user, Self.stopped(.account), now: Self.now).code == .keyRefused)
        #expect(Why.of(user, Self.tenant { $0.pausedUntil = Self.now + 5 }, now: Self.now).code == .slowDown)
        // A call that is under way is not held up.
        #expect(Why.of(Self.user(job: .armed), Self.stopped(.account), now: Self.now).code == .beingMade)
    }

    @Test func `a doubt waits for the longer of its times, and says whether there was a call`() {
        let doubtful = Self.changed(Self.user(job: .inDoubt)) {
            $0.job?.isDoubtful = true
            $0.job?.quietUntil = Self.now + 70
        }
        let why = Why.of(doubtful, Self.tenant(), now: Self.now)
        #expect(why.nextAt == Self.now + 70 && why.text.contains("no clear answer"))
        let looked = Why.of(Self.user(job: .inDoubt), Self.tenant(), now: Self.now)
        #expect(looked.code == .makingSure && !looked.text.contains("no clear answer"))
        #expect(Why.of(doubtful, Self.stopped(.account), now: Self.now).code == .keyRefused)
    }

    @Test func `a removal says what holds it up`() {
        let user = Self.user(.gone, .revoking, job: .queued)
        #expect(Why.of(user, Self.tenant { $0.hasWorker = false }, now: Self.now).code == .noWorker)
        #expect(Why.of(user, Self.stopped(.account), now: Self.now).code == .keyRefused)
        #expect(Why.of(user, Self.stopped(.tenant), now: Self.now).code == .removing, "it stops creates only")
    }

    @Test func `a user whose worker broke down each time was not asked for in vain`() {
        let user = Self.changed(Self.user(.live, .failed, job: .dead)) { $0.job?.reason = "crashed_too_often" }
        let why = Why.of(user, Self.tenant(), now: Self.now)
        #expect(why.code == .gaveUp && why.text.contains("broke down") && !why.text.contains("0 tries"))
    }

    @Test(arguments: [(0, "first"), (1, "2nd"), (2, "3rd"), (10, "11th"), (20, "21st"), (1000, "a thousand")])
    func `the place in line is a number that people read`(ahead: Int64, words: String) {
        let user = Self.changed(Self.user(job: .queued)) { $0.job?.ahead = ahead }
        #expect(Why.of(user, Self.tenant(), now: Self.now).text.contains(words))
    }

    @Test func `the provider's words stand in the sentence, and an old overlap does not`() throws {
        let rejected = Self.changed(Self.user(.live, .failed, job: .dead)) {
            $0.job?.reason = "rejected"
            $0.job?.words = "10017 no such connection"
        }
        let why = Why.of(rejected, Self.tenant(), now: Self.now).naming("u", of: try TenantID("acme"))
        #expect(why.text.contains("10017 no such connection"))
        #expect(
            why.action == """
                mend what the provider names, or ask the provider; then an operator: dialtone user retry --tenant acme u. \
                If the tenant has the wrong connection: dialtone tenant update acme --connection-id ID
                """)
        let over = Self.changed(Self.ready) { $0.olderServesUntil = Self.now - 1 }
        #expect(Why.of(over, Self.tenant(), now: Self.now).code == .ready)
    }
}

@Suite struct ShellWordTests {
    @Test(arguments: [
        ("u-1", "u-1"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("-x", "-- -x"), ("$(x)", "'$(x)'"),
        ("a@b.c", "a@b.c"), ("ä", "'ä'"),
    ])
    func `a shell reads the word back`(word: String, text: String) {
        #expect(ShellWord.quoted(word) == text)
    }

    @Test func `a command for a person can be run as it is`() throws {
        let acme = try TenantID("acme")
        let failed = Why(.gaveUp, "", action: "try again: dialtone user retry").naming("a b", of: acme)
        #expect(failed.action == "try again: dialtone user retry --tenant acme 'a b'")
        let other = Why(.noWorker, "", action: "start a worker: dialtone serve --roles worker").naming("a", of: acme)
        #expect(other.action == "start a worker: dialtone serve --roles worker")
    }
}

@Suite struct WhyPageTests {
    @Test func `the page has a line for each reason and no other`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/why.md"), encoding: .utf8)
        let codes = page.matches(of: /\n\| `([a-z_]+)` \|/).map { String($0.1) }
        #expect(codes == WhyCode.allCases.map(\.rawValue))
    }
}
