// SPDX-License-Identifier: Apache-2.0
// The senders: they say what happens to users, again and again until each word is acknowledged, and remember it all.

import Composition
import Foundation
import Model
import Synchronization

/// One thing a sender says, and must be believed to have said.
struct Word: Sendable {
    var tenant: Int
    var user: String
    var wanted: Wanted
    var occurredAt: Date
    var delivery: String
}

final class Senders: Sendable {
    private struct State {
        var words: [Word] = []
        var acknowledged: Set<String> = []
        var last: [String: Word] = [:]
        var users: [String] = []
        var rotated = 0
    }

    private let town: Town
    private let state = Mutex(State())
    private let begin = Date()

    init(_ town: Town) { self.town = town }

    var words: [Word] { self.state.withLock { $0.words } }
    var acknowledged: Set<String> { self.state.withLock { $0.acknowledged } }

    /// How many rotations were accepted.
    var rotated: Int { self.state.withLock { $0.rotated } }

    /// The last word on each user, by the sender's time.
    var wanted: [String: Word] { self.state.withLock { $0.last } }

    /// New sign-ups, deletes, re-sign-ups and duplicates: half of them at once, the others while the trouble goes on.
    func burst(round: Int, using dice: inout some RandomNumberGenerator) -> Task<Void, Never> {
        var words: [Word] = []
        for number in 0..<12 {
            let known = self.state.withLock { $0.users.randomElement(using: &dice) }
            let choice = Int.random(in: 0..<10, using: &dice)
            if choice < 5 || known == nil {
                words.append(self.next("u-\(round)-\(number)", .live, using: &dice))
            } else if let known {
                let last = self.state.withLock { $0.last[known] }
                switch choice {
                case 5, 6, 7: words.append(self.next(known, last?.wanted == .live ? .gone : .live, using: &dice))
                case 8:  // reordered: an older word that comes late
                    words.append(self.next(known, .gone, using: &dice))
                    words.append(self.next(known, .live, using: &dice))
                    words.swapAt(words.count - 1, words.count - 2)
                default: if let last { words.append(last) }
                }
            }
        }
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

    private func next(_ user: String, _ wanted: Wanted, using dice: inout some RandomNumberGenerator) -> Word {
        self.state.withLock { state in
            let tenant = state.last[user]?.tenant ?? Int.random(in: 0..<2, using: &dice)
            let word = Word(
                tenant: tenant, user: user, wanted: wanted,
                occurredAt: self.begin - 3600 + Double(state.words.count) * 0.001,
                delivery: "d-\(state.words.count)")
            if state.last[user] == nil { state.users.append(user) }
            state.words.append(word)
            state.last[user] = word
            return word
        }
    }

    /// Until each is acknowledged, as senders do.
    func sendTheRest() async {
        while true {
            let open = self.state.withLock { state in
                state.words.filter { !state.acknowledged.contains($0.delivery) }
            }
            if open.isEmpty { return }
            await withTaskGroup(of: Void.self) { group in
                for word in open { group.addTask { await self.send(word, attempts: 5) } }
            }
        }
    }

    private func send(_ word: Word, attempts: Int) async {
        let hook = self.town.hooks[word.tenant]
        guard let tenant = TenantID(rawValue: Town.tenants[word.tenant]), let user = UserID(rawValue: word.user) else {
            return
        }
        for _ in 0..<attempts {
            let address = self.town.apis.randomElement() ?? ""
            let sender = try? SignUpSender(url: address + hook.path, secret: Secret(hook.secret), http: self.town.http)
            let reply = try? await sender?.send(
                type: word.wanted == .live ? "user.created" : "user.deleted", user: UserKey(tenant: tenant, user: user),
                deliveryID: word.delivery, at: Date(), occurredAt: word.occurredAt)
            if let reply, (200..<300).contains(reply.status) {
                self.state.withLock { _ = $0.acknowledged.insert(word.delivery) }
                return
            }
            try? await Task.sleep(for: .milliseconds(Int.random(in: 200...800)))
        }
    }

    /// An operator rotates a few; when the database is away, or the user is not ready, another time.
    func rotateSome(using dice: inout some RandomNumberGenerator) async throws {
        let known = self.state.withLock { state in
            (0..<2).compactMap { _ in state.users.randomElement(using: &dice).flatMap { state.last[$0] } }
        }
        for word in known {
            guard let tenant = TenantID(rawValue: Town.tenants[word.tenant]), let user = UserID(rawValue: word.user)
            else { continue }
            let line = try? await Administration(self.town.settings).rotate(
                UserKey(tenant: tenant, user: user), overlap: nil)
            if line != nil { self.state.withLock { $0.rotated += 1 } }
        }
    }
}
