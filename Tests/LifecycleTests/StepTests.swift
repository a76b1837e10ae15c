// SPDX-License-Identifier: Apache-2.0
// The rules of one job, each by itself: when it may create, when it must look, when it may believe that there is nothing.

import Foundation
import Lifecycle
import Model
import Testing

@Suite struct StepTests {
    private let rules = LifeRules()
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let id = ProviderID(rawValue: "p-1")
    private let other = ProviderID(rawValue: "p-2")

    private func life(
        _ phase: JobLife.Phase = .armed, wanted: Wanted = .live, wantedGeneration: Generation = 1,
        recorded: ProviderID? = nil, isDoubtful: Bool = false, empties: Int = 0, crashes: Int = 0,
        quietUntil: Date? = nil
    ) -> JobLife {
        JobLife(
            generation: 1, phase: phase, wanted: wanted, wantedGeneration: wantedGeneration, recorded: recorded,
            isDoubtful: isDoubtful, crashes: crashes, empties: empties, quietUntil: quietUntil)
    }

    private func effects(_ life: JobLife, _ event: JobEvent) -> [JobEffect] {
        life.step(event, rules: self.rules, now: self.now, jitter: 0).effects
    }

    @Test func aFreshJobCreates() {
        #expect(self.effects(self.life(), .claimed) == [.create])
    }

    @Test func aDoubtfulJobLooksFirstWhateverIsWanted() {
        #expect(self.effects(self.life(isDoubtful: true), .claimed) == [.look])
        #expect(self.effects(self.life(.looking, wanted: .gone, isDoubtful: true), .claimed) == [.look])
        #expect(self.effects(self.life(.looking), .claimed) == [.look])
    }

    @Test func anUnknownOutcomeIsDoubtForGood() {
        let (after, effects) = self.life().step(.unknown, rules: self.rules, now: self.now, jitter: 0)
        #expect(after.isDoubtful)
        #expect(effects == [.doubt(delay: .seconds(1), settle: self.rules.settle)])
        #expect(self.effects(after, .claimed) == [.look])
    }

    @Test func absenceNeedsTwoEmptyAnswersTheSecondWhenQuiet() {
        let past = self.now.addingTimeInterval(-1)
        let future = self.now.addingTimeInterval(20)
        func empty(_ empties: Int, _ quietUntil: Date) -> [JobEffect] {
            self.effects(
                self.life(.looking, isDoubtful: true, empties: empties, quietUntil: quietUntil), .looked(found: []))
        }
        #expect(empty(0, past) == [.doubt(delay: .seconds(1), settle: nil)])
        #expect(empty(1, future) == [.doubt(delay: .seconds(20), settle: nil)])
        #expect(empty(1, past) == [.rearm, .create])
    }

    @Test func aFailedLookNeverPermitsACreate() {
        let life = self.life(.looking, isDoubtful: true, empties: 5, quietUntil: self.now.addingTimeInterval(-60))
        for effect in self.effects(life, .lookFailed(nil)) {
            #expect(effect == .doubt(delay: .milliseconds(500), settle: nil))
        }
    }

    @Test func whatIsFoundIsAdoptedAndTheRestIsSurplus() {
        let life = self.life(.looking, isDoubtful: true)
        #expect(self.effects(life, .looked(found: [self.id])) == [.own(self.id)])
        #expect(self.effects(life, .looked(found: [self.id, self.other])) == [.surplus([self.other]), .own(self.id)])
        let recorded = self.life(.looking, recorded: self.other, isDoubtful: true)
        #expect(self.effects(recorded, .looked(found: [self.id, self.other])) == [.surplus([self.id]), .end])
    }

    @Test func whoIsNotWantedIsClosed() {
        #expect(self.effects(self.life(wanted: .gone), .claimed) == [.close])
        #expect(self.effects(self.life(wanted: .gone, recorded: self.id), .claimed) == [.delete(self.id)])
        #expect(self.effects(self.life(wantedGeneration: 2, recorded: self.id), .claimed) == [.delete(self.id)])
        #expect(self.effects(self.life(wanted: .gone, recorded: self.id), .deleted) == [.close])
        let looked = self.life(
            .looking, wanted: .gone, isDoubtful: true, empties: 1, quietUntil: self.now.addingTimeInterval(-1))
        #expect(self.effects(looked, .looked(found: [])) == [.close])
    }

    @Test func whatTheProviderMeansForAllIsNotCharged() {
        for event in [JobEvent.rateLimited(.seconds(2)), .refused, .notSent, .tagFull] {
            for case .schedule(_, _, let isCharged, _) in self.effects(self.life(), event) { #expect(!isCharged) }
        }
        #expect(
            self.effects(self.life(), .tagFull)
                == [.schedule(.scheduled, delay: .zero, isCharged: false, dropsTag: true)])
    }

    @Test func aJobThatKillsItsWorkersIsBuried() {
        let life = self.life(
            .looking, isDoubtful: true, empties: 1, crashes: 3, quietUntil: self.now.addingTimeInterval(-1))
        #expect(self.effects(life, .looked(found: [])) == [.bury("crashed_too_often")])
    }
}
