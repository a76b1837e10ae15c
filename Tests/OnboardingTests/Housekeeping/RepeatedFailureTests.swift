// SPDX-License-Identifier: Apache-2.0
// A tick that fails the same way for a minute is told once a minute, and a passing failure is not told at all.

import Postgres
import Testing

@testable import Onboarding

@Suite struct RepeatedFailureTests {
    private static let refused = PostgresError(
        .server, "permission denied for function pg_control_system", sqlState: "42501")
    private static let away = PostgresError(.connectFailed, "connection refused")

    @Test func `the same failure is told once a minute`() {
        var failure = RepeatedFailure()
        let start = ContinuousClock.now
        let told = (0...300).filter { failure.isNews(Self.refused, at: start + .milliseconds($0 * 500)) }
        #expect(told == [120, 240])
    }

    @Test func `a tick that works begins the minute anew`() {
        var failure = RepeatedFailure()
        let start = ContinuousClock.now
        let atOnce = failure.isNews(Self.refused, at: start)
        #expect(!atOnce)
        failure.end()
        let again = failure.isNews(Self.refused, at: start + .seconds(61))
        #expect(!again)
        let aMinuteLater = failure.isNews(Self.refused, at: start + .seconds(122))
        #expect(aMinuteLater)
    }

    @Test func `another failure begins the minute anew`() {
        var failure = RepeatedFailure()
        let start = ContinuousClock.now
        let atOnce = failure.isNews(Self.refused, at: start)
        #expect(!atOnce)
        let other = failure.isNews(Self.away, at: start + .seconds(61))
        #expect(!other)
        let firstAgain = failure.isNews(Self.refused, at: start + .seconds(62))
        #expect(!firstAgain)
    }
}
