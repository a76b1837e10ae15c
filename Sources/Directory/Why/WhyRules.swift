// SPDX-License-Identifier: Apache-2.0
// From facts to the reason: pure, so that each reason can be tried without a database.

package import Foundation
import Model

extension Why {
    /// Returns the one reason that says most. `now` is the database's clock.
    package static func of(_ user: UserFacts, _ tenant: TenantFacts, now: Date) -> Why {
        switch (user.wanted, user.status) {
        case (.live, .ready): Self.ready(user, now)
        case (.live, .failed): Self.failed(user)
        case (.live, _): Self.waiting(user, tenant, now)
        case (.gone, .revoked): Self.removed(user)
        case (.gone, _): Self.removing(user, tenant)
        }
    }

    // MARK: The user has what he shall have

    private static func ready(_ user: UserFacts, _ now: Date) -> Why {
        if let missing = user.serving?.missingSince {
            return Why(
                .readyMissing, "has a phone that the provider did not find; it is asked again before a new one is made",
                since: missing)
        }
        if let job = user.job, job.state != .dead, job.generation == user.generation,
            job.generation != user.serving?.generation
        {
            return Why(.readyNewComing, "is ready; a new credential is being made", since: job.enqueuedAt)
        }
        if let until = user.olderServesUntil, until > now {
            return Why(
                .readyOldLeaving, "is ready; the credential before serves on for a while", since: user.readyAt,
                nextAt: until)
        }
        return Why(.ready, "is ready", since: user.readyAt)
    }

    // MARK: The user was given up

    private static func failed(_ user: UserFacts) -> Why {
        let job = user.job
        // Another job of the user deletes an older credential first.
        let next = job?.state == .dead ? job?.runAt : nil
        let answer = [user.lastCall?.httpStatus.map { "HTTP \($0)" }, user.lastCall?.code].compactMap { $0 }
        let words =
            (job?.words.map { ": \($0)" } ?? "") + (answer.isEmpty ? "" : " (\(answer.joined(separator: ", ")))")
        if job?.reason == "rejected" {
            return Why(
                .rejected, "could not be set up: the provider refuses it\(words)", since: user.lastCall?.at,
                nextAt: next, action: Self.mending(job?.words))
        }
        // The number begins anew when the job deletes an older credential meanwhile.
        let number = job.map { $0.attempts > 0 ? "\($0.attempts) " : "" } ?? ""
        let tries =
            job?.reason == "crashed_too_often"
            ? "the worker broke down at it each time" : "\(number)tries without a clear answer"
        return Why(
            .gaveUp, "could not be set up: \(tries)\(words)",
            since: user.lastCall?.at, nextAt: next, action: "to try sooner, an operator: dialtone user retry")
    }

    /// What is to be done about a rejection in the provider's words.
    private static func mending(_ words: String?) -> String {
        let usual = "mend what the provider names, or ask the provider; then an operator: dialtone user retry"
        guard words?.localizedCaseInsensitiveContains("connection") == true else { return usual }
        return "\(usual). If the tenant has the wrong connection: dialtone tenant update --connection-id"
    }

    // MARK: The user waits

    private static func waiting(_ user: UserFacts, _ tenant: TenantFacts, _ now: Date) -> Why {
        guard let job = user.job else {
            return Why(
                .forgotten, "waits for the next round of housekeeping, which queues whoever has no job",
                since: user.receivedAt)
        }
        if tenant.hasWorker == false {
            return Why(
                .noWorker, "waits because no worker is running", since: job.enqueuedAt,
                action: "start a worker: dialtone serve --roles worker")
        }
        switch job.state {
        case .armed: return Why(.beingMade, "is being set up right now", since: job.enqueuedAt, nextAt: job.leaseUntil)
        case .inDoubt, .looking: return Self.stopped(tenant, "waits") ?? Self.doubtful(job, user.lastCall, tenant)
        case .queued, .scheduled, .dead: return Self.held(job, tenant) ?? Self.inTurn(user, job, tenant, now)
        }
    }

    private static func doubtful(_ job: UserFacts.Job, _ call: UserFacts.Call?, _ tenant: TenantFacts) -> Why {
        if !job.isDoubtful && !tenant.isSeen { return Self.afterRestart(job, tenant) }
        let next = [job.quietUntil, job.runAt].compactMap { $0 }.max()
        guard job.isDoubtful else {
            return Why(
                .makingSure, "waits until it is known whether the provider has a phone of this user already",
                since: job.enqueuedAt, nextAt: next)
        }
        // A look that was answered is no failure.
        let heard = [
            call?.httpStatus.flatMap { $0 < 400 ? nil : "HTTP \($0)" },
            job.attempts > 1 ? "\(job.attempts) tries" : nil,
        ].compactMap(\.self).joined(separator: ", ")
        return Why(
            .makingSure,
            """
            waits because the provider gave no clear answer\(heard.isEmpty ? "" : " (\(heard))"); it is made sure that no \
            phone exists before another is made
            """,
            since: job.enqueuedAt, nextAt: next)
    }

    private static func afterRestart(_ job: UserFacts.Job, _ tenant: TenantFacts) -> Why {
        Why(
            .afterRestart, "waits because the database has changed; everything is looked up first",
            since: tenant.changedAt, nextAt: job.runAt)
    }

    /// What holds up all creates of the tenant.
    private static func held(_ job: UserFacts.Job, _ tenant: TenantFacts) -> Why? {
        if let why = Self.stopped(tenant, "waits") { return why }
        guard let until = tenant.pausedUntil else { return nil }
        return Why(
            .slowDown, "waits because the provider has asked us to slow down", since: job.enqueuedAt, nextAt: until)
    }

    /// A scope of the provider that is not asked.
    private static func stopped(_ tenant: TenantFacts, _ waits: String) -> Why? {
        guard let breaker = tenant.breaker else { return nil }
        let reason = breaker.reason.map { " (\($0))" } ?? ""
        let (code, text, action): (WhyCode, String, String) =
            switch breaker.scope {
            case .account:
                (
                    .keyRefused, "the provider refuses our key",
                    "check TELNYX_API_KEY, then: dialtone check --provider"
                )
            case .connection:
                (
                    .connectionRefused, "the provider refuses this connection",
                    """
                    check the tenant's connection in the provider's portal; if it is the wrong one, an operator: \
                    dialtone tenant update --connection-id
                    """
                )
            case .tenant:
                (
                    .tenantRefused, "the provider has refused several users of this tenant",
                    """
                    see what the provider says: dialtone job failures; if the tenant has the wrong connection, an \
                    operator: dialtone tenant update --connection-id
                    """
                )
            }
        return Why(
            code, "\(waits) because \(text)\(reason)", since: breaker.since, nextAt: breaker.until, action: action)
    }

    private static func inTurn(
        _ user: UserFacts, _ job: UserFacts.Job, _ tenant: TenantFacts, _ now: Date
    ) -> Why {
        if job.state == .scheduled, job.attempts > 0 || user.lastCall != nil {
            let said = user.lastCall.map { Self.said($0) } ?? "the last try has failed"
            return Why(
                .tryingAgain, "waits for the next try: \(said)", since: user.lastCall?.at ?? job.enqueuedAt,
                nextAt: job.runAt)
        }
        if job.state == .scheduled, let rate = tenant.rate {
            return Why(
                .rateLimited, "waits for its turn: the provider is asked at most \(Self.number(rate)) times a second",
                since: job.enqueuedAt, nextAt: job.runAt)
        }
        let place = job.ahead.map { ahead in
            switch ahead {
            case 0: ", first"
            case 1..<1000: ", \(ahead + 1)\(Self.ending(ahead + 1))"
            default: ", behind a thousand others or more"
            }
        }
        return Why(
            .inLine, "is in line\(place ?? "")", since: job.enqueuedAt, nextAt: job.state == .queued ? nil : job.runAt)
    }

    private static func said(_ call: UserFacts.Call) -> String {
        switch (call.httpStatus, call.code) {
        case (let status?, let code?): "the provider answered \(status) (\(code))"
        case (let status?, nil): "the provider answered \(status)"
        case (nil, let code?): "the provider gave no answer (\(code))"
        case (nil, nil): "the last try has failed"
        }
    }

    private static func number(_ rate: Double) -> String {
        rate == rate.rounded() && rate < 1_000_000 ? "\(Int(rate))" : "\((rate * 10).rounded() / 10)"
    }

    /// The ending of an English ordinal number.
    private static func ending(_ number: Int64) -> String {
        switch (number % 100, number % 10) {
        case (11...13, _): "th"
        case (_, 1): "st"
        case (_, 2): "nd"
        case (_, 3): "rd"
        default: "th"
        }
    }

    // MARK: The user shall have nothing

    private static func removed(_ user: UserFacts) -> Why {
        if let since = user.unclearSince {
            return Why(
                .removedUnclear,
                "was removed; a later sign-up had no time, so nobody can tell which of the two was later", since: since,
                action: "if the user shall have a phone, an operator: dialtone user reopen")
        }
        if let since = user.heldAt {
            return Why(
                .removedByOperator, "was removed by an operator", since: since,
                action: "to give the user a phone again, an operator: dialtone user reopen")
        }
        let told = user.removedBy.map { ", as \($0) has told" } ?? ""
        return Why(.removed, "was removed\(told)", since: user.lastDeletedAt ?? user.receivedAt)
    }

    private static func removing(_ user: UserFacts, _ tenant: TenantFacts) -> Why {
        if tenant.isStopped {
            return Why(
                .heldBack, "is to be removed; nothing is deleted before an operator has said what this database is",
                since: tenant.changedAt, action: "dialtone installation, then: dialtone installation confirm")
        }
        if tenant.hasWorker == false {
            return Why(
                .noWorker, "is to be removed, and waits because no worker is running",
                since: user.heldAt ?? user.receivedAt,
                action: "start a worker: dialtone serve --roles worker")
        }
        if tenant.breaker?.scope == .account, let why = Self.stopped(tenant, "is to be removed, and waits") {
            return why
        }
        return Why(.removing, "is being removed", since: user.heldAt ?? user.receivedAt, nextAt: user.job?.runAt)
    }
}
