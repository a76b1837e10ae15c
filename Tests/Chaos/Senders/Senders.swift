// SPDX-License-Identifier: Apache-2.0
// The senders: they say what happens to users until each word is acknowledged, and they remember it all.

import Composition
import Foundation
import Model
import Synchronization

/// The senders of all tenants, and the record of what they have said.
///
/// A sender says words, in bursts that run on while trouble is made. It says each word again until it is acknowledged.
/// The last word on a user, by the sender's own time, says what is wanted. `Verdict` holds the ledger and the provider
/// against that record.
final class Senders: Sendable {
    private struct State {
        var words: [Word] = []
        var acknowledged: Set<String> = []
        var last: [String: Word] = [:]
        var users: [String] = []
        var rotated = 0
        /// By user, by the sender's time: the newest sign-up that has left, and the newest delete that was acknowledged.
        var sentSignUps: [String: Date] = [:]
        var acknowledgedDeletes: [String: Date] = [:]
        /// Users whose sign-up was acknowledged.
        var acknowledgedUsers: Set<String> = []

        mutating func leaves(_ word: Word) {
            guard word.wanted == .live else { return }
            for user in word.group {
                self.sentSignUps[user] = max(self.sentSignUps[user] ?? .distantPast, word.occurredAt)
            }
        }

        mutating func acknowledge(_ word: Word) {
            self.acknowledged.insert(word.delivery)
            guard word.wanted == .gone else {
                self.acknowledgedUsers.formUnion(word.group)
                return
            }
            self.acknowledgedDeletes[word.user] = max(
                self.acknowledgedDeletes[word.user] ?? .distantPast, word.occurredAt)
        }
    }

    private let deployment: Deployment
    private let state = Mutex(State())
    private let begin = Date()

    init(_ deployment: Deployment) { self.deployment = deployment }

    var words: [Word] { self.state.withLock { $0.words } }
    var acknowledged: Set<String> { self.state.withLock { $0.acknowledged } }

    /// The number of rotations that were accepted.
    var rotated: Int { self.state.withLock { $0.rotated } }

    /// The last word on each user, by the sender's time.
    var wanted: [String: Word] { self.state.withLock { $0.last } }

    // MARK: What an answer to an app may be

    /// A user to ask a token for, and what was acknowledged of the user before.
    struct Asked: Sendable {
        /// The place of the user's tenant in `Deployment.tenants`.
        var tenant: Int
        var user: String
        /// Whether a sign-up was acknowledged.
        var isKnown: Bool
        /// The newest delete, by the sender's time; nil without one.
        var deletedAt: Date?
    }

    /// Picks a user, every other time from the last ones that were spoken of. Nil before the first word.
    func pickUser() -> Asked? {
        self.state.withLock { state in
            let word = Bool.random() ? state.words.suffix(40).randomElement() : state.words.randomElement()
            return word.map { word in
                Asked(
                    tenant: word.tenant, user: word.user, isKnown: state.acknowledgedUsers.contains(word.user),
                    deletedAt: state.acknowledgedDeletes[word.user])
            }
        }
    }

    /// Returns whether a sign-up newer than the acknowledged delete has left. Without a delete there is nothing to ask.
    func mayHaveToken(_ asked: Asked) -> Bool {
        guard let deletedAt = asked.deletedAt else { return true }
        return self.state.withLock { ($0.sentSignUps[asked.user] ?? .distantPast) > deletedAt }
    }

    // MARK: What the senders say

    /// Says new sign-ups, deletes, sign-ups again and duplicates. Half of the words go out at once, the others within a
    /// second and a half, while the trouble goes on.
    func burst(round: Int, using dice: inout some RandomNumberGenerator) -> Task<Void, Never> {
        var words: [Word] = []
        for number in 0..<12 { words += self.pickWords(round: round, number, using: &dice) }
        let all = words.map { word in
            (word, Bool.random(using: &dice) ? 0 : Int.random(in: 0...1500, using: &dice))
        }
        // Unstructured, because the trouble begins while they are on their way.
        return Task {
            await withTaskGroup(of: Void.self) { group in
                for (word, wait) in all {
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(wait))
                        await self.send(word, attempts: 3)
                    }
                }
            }
        }
    }

    /// Returns one or two words: on a new user, or on a known user whose state changes or whose last word is repeated.
    private func pickWords(round: Int, _ number: Int, using dice: inout some RandomNumberGenerator) -> [Word] {
        let known = self.state.withLock { $0.users.randomElement(using: &dice) }
        let choice = Int.random(in: 0..<10, using: &dice)
        guard choice >= 5, let known else { return [self.newcomers("u-\(round)-\(number)", choice, using: &dice)] }
        let last = self.state.withLock { $0.last[known] }
        switch choice {
        case 5, 6, 7: return [self.next(known, last?.wanted == .live ? .gone : .live, using: &dice)]
        case 8:  // reordered: the older word comes late
            let older = self.next(known, .gone, using: &dice)
            return [self.next(known, .live, using: &dice), older]
        default: return last.map { [$0] } ?? []
        }
    }

    /// Makes the word of new users: three in one delivery, one without a time, or, most often, one with it.
    private func newcomers(_ user: String, _ choice: Int, using dice: inout some RandomNumberGenerator) -> Word {
        switch choice {
        case 0: return self.next(user, .live, beside: ["\(user)-b", "\(user)-c"], using: &dice)
        case 1:
            return self.state.withLock { state in
                let word = Word(
                    tenant: Int.random(in: 0..<2, using: &dice), user: user, wanted: .live, occurredAt: Date(),
                    delivery: "d-\(state.words.count)", group: [user], hasTime: false)
                state.words.append(word)
                state.last[user] = word
                return word
            }
        default: return self.next(user, .live, using: &dice)
        }
    }

    /// Makes the next word. A user keeps its tenant, and each word is a millisecond newer than the one before.
    private func next(
        _ user: String, _ wanted: Wanted, beside others: [String] = [], using dice: inout some RandomNumberGenerator
    ) -> Word {
        self.state.withLock { state in
            let tenant = state.last[user]?.tenant ?? Int.random(in: 0..<2, using: &dice)
            let word = Word(
                tenant: tenant, user: user, wanted: wanted,
                occurredAt: self.begin - 3600 + Double(state.words.count) * 0.001,
                delivery: "d-\(state.words.count)", group: [user] + others)
            state.words.append(word)
            for user in word.group {
                if state.last[user] == nil { state.users.append(user) }
                state.last[user] = word
                state.last[user]?.user = user
            }
            return word
        }
    }

    /// Sends every word again that is not acknowledged, until all are. Throws when that takes more than five minutes.
    func sendTheRest() async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while true {
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the answer to the last words") }
            let open = self.state.withLock { state in
                state.words.filter { !state.acknowledged.contains($0.delivery) }
            }
            if open.isEmpty { return }
            await withTaskGroup(of: Void.self) { group in
                for word in open { group.addTask { await self.send(word, attempts: 5) } }
            }
        }
    }

    /// Sends a word to either API process until it is acknowledged, or its attempts are used up.
    private func send(_ word: Word, attempts: Int) async {
        let hook = self.deployment.hooks[word.tenant]
        self.state.withLock { $0.leaves(word) }
        for _ in 0..<attempts {
            let address = self.deployment.apis.randomElement() ?? ""
            let sender = try? SignUpSender(
                url: address + hook.path, secret: Secret(hook.secret), http: self.deployment.http)
            let reply = try? await sender?.post(word.body, deliveryID: word.delivery, at: Date())
            if let reply, (200..<300).contains(reply.status) {
                self.state.withLock { $0.acknowledge(word) }
                return
            }
            try? await Task.sleep(for: .milliseconds(Int.random(in: 200...800)))
        }
    }

    /// Rotates two users, as an operator would. Nothing happens when the database is away or the user is not ready.
    func rotateSome(using dice: inout some RandomNumberGenerator) async throws {
        let known = self.state.withLock { state in
            (0..<2).compactMap { _ in state.users.randomElement(using: &dice).flatMap { state.last[$0] } }
        }
        for key in known.compactMap(\.key) {
            let line = try? await Administration(self.deployment.settings).rotate(key, overlap: nil)
            if line != nil { self.state.withLock { $0.rotated += 1 } }
        }
    }
}
