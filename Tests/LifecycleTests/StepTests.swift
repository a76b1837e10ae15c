// SPDX-License-Identifier: Apache-2.0
// The rules of one job by themselves: when it may create, when it must look, and what proves absence.

import Lifecycle
import Model
import Testing

@Suite struct StepTests {
    private let rules = LifeRules()
    private let id = ProviderID(rawValue: "p-1")
    private let other = ProviderID(rawValue: "p-2")

    @Test func `a fresh job creates without looking first`() {
        #expect(self.effects(self.life(), .claimed) == [.create])
    }

    @Test func `a job in doubt looks first, whatever is wanted`() {
        #expect(self.effects(self.life(isDoubtful: true), .claimed) == [.look])
        #expect(self.effects(self.life(.looking, wanted: .gone, isDoubtful: true), .claimed) == [.look])
        #expect(self.effects(self.life(.looking), .claimed) == [.look])
    }

    @Test func `after a create with an unknown outcome the job stays in doubt and looks first`() {
        let (after, effects) = self.life().step(.unknown, rules: self.rules, jitter: 0)
        #expect(after.isDoubtful)
        #expect(effects == [self.doubt(.milliseconds(500), isCharged: true, landingTime: self.rules.landingTime)])
        #expect(self.effects(after, .claimed) == [.look])
    }

    @Test func `absence is an empty look after the quiet time, and an earlier one only finds`() {
        func empty(_ quietIn: Duration?) -> [JobEffect] {
            self.effects(self.life(.looking, isDoubtful: true, quietIn: quietIn), .looked(found: []))
        }
        #expect(empty(.seconds(20)) == [self.doubt(.seconds(20))])
        #expect(empty(.milliseconds(1)) == [self.doubt(.seconds(1))])
        #expect(empty(.zero) == [.renewLease, .create])
        // A doubt without a quiet time gets one now.
        #expect(empty(nil) == [self.doubt(.seconds(1), landingTime: self.rules.landingTime)])
    }

    /// The worker lists the tag too when this says so.
    @Test func `a look may prove absence when no create can land any more`() {
        #expect(self.life(.looking).mayProveAbsence)
        #expect(!self.life(.looking, isDoubtful: true).mayProveAbsence, "until when it can land is not known")
        #expect(!self.life(.looking, quietIn: .milliseconds(1)).mayProveAbsence)
        #expect(self.life(.looking, isDoubtful: true, quietIn: .zero).mayProveAbsence)
    }

    @Test func `one empty look is enough for a job that was never in doubt`() {
        #expect(self.effects(self.life(.looking), .looked(found: [])) == [.renewLease, .create])
    }

    @Test func `after a server change every create looks first, and waits if commits may be lost`() {
        let changed = LedgerTrust(looksFirst: true, isStopped: false)
        #expect(self.effects(self.life(trust: changed), .claimed) == [.look])
        #expect(self.effects(self.life(trust: changed), .looked(found: [])) == [.renewLease, .create])
        let early = self.life(quietIn: .seconds(9), trust: changed)
        #expect(self.effects(early, .looked(found: [])) == [self.doubt(.seconds(9))])
        let late = self.life(.looking, quietIn: .seconds(-1), trust: changed)
        #expect(self.effects(late, .looked(found: [])) == [.renewLease, .create])
    }

    @Test func `nothing is deleted while the ledger is on an unconfirmed system`() {
        let stopped = LedgerTrust(looksFirst: true, isStopped: true)
        let gone = self.life(wanted: .gone, recorded: self.id, trust: stopped)
        #expect(self.effects(gone, .claimed) == [.schedule(delay: .seconds(30), isCharged: false, dropsTag: false)])
        // One who has signed up again gets the new credential all the same.
        var back = self.life(recorded: self.id, trust: stopped)
        back.wantedGeneration = 2
        back.hasOtherGoals = true
        #expect(self.effects(back, .claimed) == [.goToOtherGoal(after: .seconds(30))])
    }

    @Test func `a failed look never permits a create and waits longer each time`() {
        let life = self.life(.looking, isDoubtful: true, quietIn: .seconds(-60))
        #expect(self.effects(life, .lookFailed(nil)) == [self.doubt(.milliseconds(500))])
        let often = self.life(.looking, isDoubtful: true, failures: 3, quietIn: .seconds(-60))
        #expect(self.effects(often, .lookFailed(nil)) == [self.doubt(.seconds(4))])
        #expect(self.effects(often, .lookFailed(.seconds(90))) == [self.doubt(.seconds(90))])
    }

    @Test func `a look keeps the recorded credential or adopts one, and the others are surplus`() {
        let life = self.life(.looking, isDoubtful: true)
        #expect(self.effects(life, .looked(found: [self.id])) == [.record(self.id)])
        #expect(
            self.effects(life, .looked(found: [self.id, self.other])) == [.surplus([self.other]), .record(self.id)])
        let recorded = self.life(.looking, recorded: self.other, isDoubtful: true)
        #expect(self.effects(recorded, .looked(found: [self.id, self.other])) == [.surplus([self.id]), .finish])
    }

    @Test func `a generation that is not wanted is deleted and closed`() {
        #expect(self.effects(self.life(wanted: .gone), .claimed) == [.closeGeneration(nil)])
        #expect(self.effects(self.life(wanted: .gone, recorded: self.id), .claimed) == [.delete(self.id)])
        #expect(self.effects(self.life(wantedGeneration: 2, recorded: self.id), .claimed) == [.delete(self.id)])
        #expect(
            self.effects(self.life(wanted: .gone, recorded: self.id), .deleted(self.id)) == [.closeGeneration(self.id)])
        let looked = self.life(.looking, wanted: .gone, isDoubtful: true, quietIn: .seconds(-1))
        #expect(self.effects(looked, .looked(found: [])) == [.closeGeneration(nil)])
    }

    /// Until the wanted credential exists, the older one may be all the user has.
    @Test func `the wanted credential is made before an older one that still serves is deleted`() {
        let behind = self.life(
            .looking, wantedGeneration: 2, recorded: self.id, isOutdatedButServing: true, isDoubtful: true)
        #expect(self.effects(behind, .claimed) == [.look])
        #expect(self.effects(behind, .looked(found: [self.id])) == [.goToOtherGoal(after: .zero)])
        let fresh = self.life(wantedGeneration: 2, recorded: self.id, isOutdatedButServing: true)
        #expect(self.effects(fresh, .claimed) == [.goToOtherGoal(after: .zero)])
    }

    @Test func `a failed delete lets the user's other goals go first`() {
        var life = self.life(wanted: .gone, recorded: self.id)
        #expect(
            self.effects(life, .deleteFailed(nil)) == [
                .schedule(delay: .milliseconds(500), isCharged: false, dropsTag: false)
            ])
        life.hasOtherGoals = true
        #expect(self.effects(life, .deleteFailed(nil)) == [.goToOtherGoal(after: .milliseconds(500))])
        #expect(self.effects(life, .deleteFailed(.seconds(9))) == [.goToOtherGoal(after: .seconds(9))])
    }

    /// A revoked credential must not wait until its successor can be made. A job in doubt keeps its goal.
    @Test(arguments: [
        JobEvent.refused(.seconds(30)), .tenantRejected(.seconds(30)), .rateLimited(.seconds(30)),
    ])
    func `a refused create lets the user's other goals go first unless it is in doubt`(event: JobEvent) {
        var life = self.life()
        life.hasOtherGoals = true
        #expect(self.effects(life, event) == [.goToOtherGoal(after: .zero)])
        life.isDoubtful = true
        #expect(
            self.effects(life, event) == [.schedule(delay: .seconds(30), isCharged: false, dropsTag: false)])
    }

    /// A tenant whose account is stopped for days must not fill the log. The waits are 30, 60 and 120 seconds, and
    /// jitter at most doubles them.
    @Test func `repeated refusals make a job wait longer, up to two minutes before jitter`() {
        var life = self.life()
        for (failures, seconds) in [(0, 5), (1, 30), (2, 60), (3, 120), (9, 120)] {
            life.failures = failures
            let again = JobEffect.schedule(delay: .seconds(seconds), isCharged: false, dropsTag: false)
            #expect(self.effects(life, .refused(.seconds(5))) == [again])
        }
    }

    /// The job may be woken early, for example by an operator who has changed a rate.
    @Test func `a credential is not deleted before its overlap ends unless it is revoked`() {
        var life = self.life(wantedGeneration: 2, recorded: self.id)
        life.mayServeFor = .seconds(60)
        #expect(self.effects(life, .claimed) == [.schedule(delay: .seconds(60), isCharged: false, dropsTag: false)])
        life.wanted = .gone
        #expect(self.effects(life, .claimed) == [.delete(self.id)])
        life = self.life(wantedGeneration: 2, recorded: self.id)
        life.mayServeFor = .seconds(-1)
        #expect(self.effects(life, .claimed) == [.delete(self.id)])
    }

    @Test func `a credential listed twice is adopted once and is not surplus`() {
        let life = self.life(.looking, isDoubtful: true)
        #expect(self.effects(life, .looked(found: [self.id, self.id])) == [.record(self.id)])
    }

    @Test func `failures that are not the job's own fault do not count towards its limit of tries`() {
        for event in [
            JobEvent.rateLimited(.seconds(2)), .refused(.seconds(2)), .tenantRejected(.seconds(2)), .notSent,
            .tagFull(isCounted: true), .deleteFailed(nil),
        ] {
            let all = self.effects(self.life(), event)
            #expect(all.count == 1)
            for case .schedule(_, let isCharged, _) in all { #expect(!isCharged, "\(event)") }
        }
        let full = JobEffect.schedule(delay: .zero, isCharged: false, dropsTag: true)
        #expect(self.effects(self.life(), .tagFull(isCounted: true)) == [full])
    }

    @Test func `three crashes or twenty unclear creates bury a job unless a look finds its credential`() {
        let deadly = self.life(.looking, isDoubtful: true, crashes: 3, quietIn: .seconds(-1))
        #expect(self.effects(deadly, .looked(found: [])) == [.giveUp("crashed_too_often")])
        let unclear = self.life(.looking, isDoubtful: true, attempts: 20, quietIn: .seconds(-1))
        #expect(self.effects(unclear, .looked(found: [])) == [.giveUp("too_many_attempts")])
        // A credential that the look has found is adopted nevertheless.
        #expect(self.effects(deadly, .looked(found: [self.id])) == [.record(self.id)])
    }

    // MARK: Test bed

    private func life(
        _ phase: JobLife.Phase = .armed, wanted: Wanted = .live, wantedGeneration: Generation = 1,
        recorded: ProviderID? = nil, isOutdatedButServing: Bool = false, isDoubtful: Bool = false, attempts: Int = 0,
        crashes: Int = 0, failures: Int = 0, quietIn: Duration? = nil, trust: LedgerTrust = .whole
    ) -> JobLife {
        JobLife(
            generation: 1, phase: phase, wanted: wanted, wantedGeneration: wantedGeneration, recorded: recorded,
            isOutdatedButServing: isOutdatedButServing, isDoubtful: isDoubtful, attempts: attempts, crashes: crashes,
            failures: failures, quietIn: quietIn, trust: trust)
    }

    private func effects(_ life: JobLife, _ event: JobEvent) -> [JobEffect] {
        life.step(event, rules: self.rules, jitter: 0).effects
    }

    private func doubt(_ delay: Duration, isCharged: Bool = false, landingTime: Duration? = nil) -> JobEffect {
        .doubt(delay: delay, isCharged: isCharged, landingTime: landingTime)
    }
}
