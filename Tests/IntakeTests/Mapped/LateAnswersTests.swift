// SPDX-License-Identifier: Apache-2.0
// Tests that a sender hears 503 before it gives up, that what it sent is stored all the same, and once.

import Foundation
import Model
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Intake

struct LateAnswersTests {
    /// The sender waits for three seconds.
    private static let impatient = """
        {"grammar":1,"tenant":"table","proofs":[{"kind":"bearer"}],"type":"/type","delivery_id":"/id",
         "user_id":"/user","organization":"/org","time":{"at":"/time","as":"seconds"},\(MappedIntakeTests.rules),
         "answers":{"within_ms":2500}}
        """

    @Test func `an answer is given once, by whoever comes first`() {
        let late = LateAnswers()
        let told = Mutex<[String]>([])
        let now = ContinuousClock.now
        let note: @Sendable (String, Result<Receipt, IntakeError>) -> Void = { name, result in
            let failure = if case .failure(let error) = result { "\(error)" } else { "stored" }
            told.withLock { $0.append("\(name) \(failure)") }
        }
        let first = late.answer(by: now + .seconds(1)) { note("first", $0) }
        let second = late.answer(by: now + .seconds(3)) { note("second", $0) }
        first(.success(.ignored(EventID(at: Date()))))
        late.tell(now: now + .seconds(2))
        #expect(told.withLock { $0 } == ["first stored"])
        late.tell(now: now + .seconds(3))
        second(.success(.ignored(EventID(at: Date()))))
        late.tell(now: now + .seconds(9))
        #expect(told.withLock { $0 } == ["first stored", "second unavailable"])
    }

    @Test func `a sender whose commit is slow is told to come again, and its next try is a duplicate`() async throws {
        try await MappedIntakeTests.with(Self.impatient) { bed in
            let body = MappedIntakeTests.event(1, "u")
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: bed.database.url))
            _ = try await holder.query("begin")
            _ = try await holder.query("lock table dialtone.events in share mode")
            let slow = Task { try await bed.send(body) }
            try await bed.database.untilSomebodyWaitsForALock()
            bed.intake.mapped.late.tell(now: .now + .seconds(2))
            bed.intake.mapped.late.tell(now: .now + .milliseconds(2_500))
            await #expect(throws: IntakeError.unavailable) { try await slow.value }
            _ = try await holder.query("rollback")
            let again = try await bed.send(body)
            #expect(again.status == .duplicate)
            #expect(try await bed.rows("select user_id from dialtone.users") == ["u"])
            await holder.close()
        }
    }

    @Test(arguments: [("okta", 3), ("supabase-hook", 5), ("cognito", 5)])
    func `a preset's answer comes before its sender gives up`(preset: String, seconds: Int) throws {
        let terms = try SourceTerms(preset: preset, nil, tenant: TenantID("acme"), allowed: [])
        guard case .mapped(let mapping) = terms.form else { throw IntakeError.unavailable }
        let within = try #require(mapping.answers.within)
        #expect(within <= .seconds(seconds) - .milliseconds(500))
    }
}
