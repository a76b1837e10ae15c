// SPDX-License-Identifier: Apache-2.0
// What a node has of a slice goes to those who came first, and ends with the slice.

import Testing

@testable import ProviderLimits

@Suite struct SliceInHandTests {
    private let start = ContinuousClock.now

    /// A slice of half a second that has answered with so many calls of each kind.
    private func answer(_ got: [Int], slice: Int64 = 1) -> TakenCalls {
        TakenCalls(got: got, slice: slice, lasts: .milliseconds(500))
    }

    @Test func `one request asks for all who wait, and permits go to those who came first`() {
        var hand = SliceInHand(now: self.start)
        let (first, second, token) = (hand.lineUp(.looks), hand.lineUp(.looks), hand.lineUp(.tokens))
        #expect(hand.turn(of: second, .looks, now: self.start) == .ask)
        let wants = hand.wants(3, .creates)
        #expect(wants == [1, 3, 2, 0, 0])
        hand.receive(self.answer([1, 3, 1, 0, 0]), wants: wants, pace: .zero, now: self.start)
        #expect(hand.turn(of: token, .tokens, now: self.start) == .granted(1))
        #expect(hand.turn(of: second, .looks, now: self.start) == .rest(until: self.start + .milliseconds(500)))
        #expect(hand.turn(of: first, .looks, now: self.start) == .granted(1))
        #expect(hand.turn(taking: 8, .creates, now: self.start) == .granted(3))
    }

    @Test func `a kind that got less than it wanted rests until the slice ends, and asks for nothing`() {
        var hand = SliceInHand(now: self.start)
        _ = hand.lineUp(.deletes)
        hand.receive(self.answer([0, 0, 0, 0, 0]), wants: [0, 0, 0, 1, 0], pace: .zero, now: self.start)
        let end = self.start + .milliseconds(500)
        #expect(hand.rest(of: .deletes, now: self.start) == end)
        #expect(hand.wants(2, .deletes) == [0, 0, 0, 0, 0])
        #expect(hand.rest(of: .deletes, now: end) == nil)
        #expect(hand.turn(taking: 1, .deletes, now: end) == .ask)
        #expect(hand.wants(2, .deletes) == [0, 0, 0, 3, 0])
    }

    @Test func `requests keep their distance, but a token does not wait for it`() {
        var hand = SliceInHand(now: self.start)
        hand.receive(
            self.answer([0, 1, 0, 0, 0]), wants: [0, 1, 0, 0, 0], pace: .milliseconds(125), now: self.start)
        #expect(hand.turn(taking: 1, .creates, now: self.start) == .granted(1))
        #expect(hand.turn(taking: 1, .creates, now: self.start) == .rest(until: self.start + .milliseconds(125)))
        #expect(hand.turn(taking: 1, .tokens, now: self.start) == .ask)
        #expect(hand.turn(taking: 1, .creates, now: self.start + .milliseconds(125)) == .ask)
    }

    @Test func `nobody who waits is passed by one who does not wait`() {
        var hand = SliceInHand(now: self.start)
        let ticket = hand.lineUp(.creates)
        hand.receive(self.answer([0, 1, 0, 0, 0]), wants: [0, 9, 0, 0, 0], pace: .zero, now: self.start)
        #expect(hand.turn(taking: 8, .creates, now: self.start) == .rest(until: self.start + .milliseconds(500)))
        #expect(hand.turn(of: ticket, .creates, now: self.start) == .granted(1))
    }

    @Test func `what is left at the end of a slice lapses`() {
        var hand = SliceInHand(now: self.start)
        hand.receive(self.answer([0, 4, 0, 0, 0]), wants: [0, 4, 0, 0, 0], pace: .zero, now: self.start)
        #expect(hand.turn(taking: 3, .creates, now: self.start) == .granted(3))
        let end = self.start + .milliseconds(500)
        #expect(hand.turn(taking: 1, .creates, now: end) == .ask)
        #expect(hand.giveBack(3, .creates, now: end) == nil)
    }

    @Test func `a slice takes back what was handed out of it, and no more`() {
        var hand = SliceInHand(now: self.start)
        hand.receive(
            self.answer([0, 4, 0, 0, 0], slice: 9), wants: [0, 4, 0, 0, 0], pace: .zero, now: self.start)
        #expect(hand.giveBack(1, .creates, now: self.start) == nil)
        #expect(hand.turn(taking: 3, .creates, now: self.start) == .granted(3))
        let back = hand.giveBack(5, .creates, now: self.start)
        #expect(back?.slice == 9 && back?.count == 3)
        #expect(hand.giveBack(1, .creates, now: self.start) == nil)
    }

    @Test func `when the database cannot say, tokens go and the others wait for a second`() {
        var hand = SliceInHand(now: self.start)
        let (token, look) = (hand.lineUp(.tokens), hand.lineUp(.looks))
        hand.receiveNothing(wants: hand.wants(0, .looks), now: self.start)
        #expect(hand.turn(of: token, .tokens, now: self.start) == .granted(1))
        #expect(hand.turn(of: look, .looks, now: self.start) == .rest(until: self.start + .seconds(1)))
        #expect(hand.turn(of: look, .looks, now: self.start + .seconds(1)) == .ask)
    }
}
