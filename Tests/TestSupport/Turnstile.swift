// SPDX-License-Identifier: Apache-2.0
// Limits how many tests have a database at one time.

/// A fixed number of places. More tests at once than four a core would wait for one another, and miss their deadlines.
///
/// No test may enter again while it is inside: two such tests could wait for each other.
actor Turnstile {
    static let shared = Turnstile(8)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ free: Int) { self.free = free }

    func enter() async {
        if self.free > 0 {
            self.free -= 1
        } else {
            await withCheckedContinuation { self.waiting.append($0) }
        }
    }

    func leave() {
        if self.waiting.isEmpty { self.free += 1 } else { self.waiting.removeFirst().resume() }
    }
}
