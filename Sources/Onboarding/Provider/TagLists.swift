// SPDX-License-Identifier: Apache-2.0
// Lists of tags that the runs of one node share: many jobs of one tag in doubt cost one list, and not one each.

import Model
import Telnyx

/// What a tag held at the provider, and when the list began. Every credential on it exists. One that is left out did
/// not exist when the list began, as far as the provider shows what it has.
struct SharedList: Sendable {
    let began: ContinuousClock.Instant
    let credentials: [TelephonyCredential]
}

/// A tag as the jobs of one era know it. What was listed before the server changed proves nothing to them.
struct SharedTag: Hashable, Sendable {
    let tag: String
    /// The era that the jobs were claimed in; nil: not known, as in a test.
    let era: Int64?
}

/// Keeps each list for five seconds, and lets one call per tag be under way that all wait for.
actor TagLists {
    /// How long a list serves after it has ended.
    static let life: Duration = .seconds(5)

    private typealias Outcome = Result<SharedList, TelnyxFailure>

    private struct Flight {
        let began: ContinuousClock.Instant
        var waiters: [CheckedContinuation<Outcome, Never>] = []
        /// Something was changed at the provider meanwhile, so what comes is not kept.
        var isOutdated = false
    }

    private var kept: [SharedTag: (list: SharedList, ended: ContinuousClock.Instant)] = [:]
    private var flights: [SharedTag: Flight] = [:]

    /// A list of the tag that ended less than five seconds ago; nil: there is none.
    func recent(_ tag: SharedTag) -> SharedList? {
        guard let kept = self.kept[tag], .now < kept.ended + Self.life else { return nil }
        return kept.list
    }

    /// Returns a list of the tag that began at `moment` or later: a recent one, the one under way, or a new one by
    /// `fetch`. Throws what the fetch throws, also to those that wait for it.
    ///
    /// Cancelled here: one who waits goes on waiting. The caller whose fetch it is ends it.
    func list(
        _ tag: SharedTag, notBefore moment: ContinuousClock.Instant,
        _ fetch: @Sendable () async throws(TelnyxFailure) -> [TelephonyCredential]
    ) async throws(TelnyxFailure) -> SharedList {
        while true {
            if let list = self.recent(tag), list.began >= moment { return list }
            guard let began = self.flights[tag]?.began else { return try await self.fly(tag, fetch) }
            let outcome = await withCheckedContinuation { (waiter: CheckedContinuation<Outcome, Never>) in
                self.flights[tag]?.waiters.append(waiter)
            }
            if began >= moment { return try outcome.get() }
        }
    }

    /// Forgets the tag's list, because something of it was deleted.
    func forget(_ tag: SharedTag) {
        self.kept[tag] = nil
        self.flights[tag]?.isOutdated = true
    }

    private func fly(
        _ tag: SharedTag, _ fetch: @Sendable () async throws(TelnyxFailure) -> [TelephonyCredential]
    ) async throws(TelnyxFailure) -> SharedList {
        let began = ContinuousClock.now
        self.flights[tag] = Flight(began: began)
        let outcome: Outcome
        do throws(TelnyxFailure) {
            outcome = .success(SharedList(began: began, credentials: try await fetch()))
        } catch {
            outcome = .failure(error)
        }
        let flight = self.flights.removeValue(forKey: tag)
        let now = ContinuousClock.now
        self.kept = self.kept.filter { now < $0.value.ended + Self.life }
        if case .success(let list) = outcome, flight?.isOutdated == false { self.kept[tag] = (list, now) }
        for waiter in flight?.waiters ?? [] { waiter.resume(returning: outcome) }
        return try outcome.get()
    }
}
