// SPDX-License-Identifier: Apache-2.0
// A secret that may change while the process runs: its value, and the file from which it is read again.

import Dispatch
package import Model
import Synchronization

/// One secret of the settings. Who uses it asks for `current` each time.
package final class SecretSource: Sendable, CustomStringConvertible {
    package enum Reading: String, Sendable {
        /// The file holds what is in use, or there is no file.
        case same
        /// The file holds another secret, which is in use now.
        case changed
        /// The file cannot be read, or holds no usable secret. The old one stays in use.
        case unusable
    }

    package typealias Tell = @Sendable (Reading) -> Void

    private struct State {
        var value: Secret<String>
        /// Whether the last reading was `unusable`.
        var isBroken = false
        var tell: Tell?
    }

    /// The setting's name.
    package let name: String
    private let text: (@Sendable () -> String?)?
    private let isUsable: @Sendable (String) -> Bool
    /// Never held while the file is read: calls need the secret in use, however slow the file is.
    private let state: Mutex<State>
    /// Held while the file is read, so that a slow reader cannot put the old secret back.
    private let reading = Mutex(())
    /// A slow file stops this queue's thread, and none of those that tasks run on.
    private let queue = DispatchQueue(label: "dialtone-secret")

    /// `text` returns what the file holds now; nil when it cannot be read. Without a file the secret never changes.
    init(
        name: String, value: String, text: (@Sendable () -> String?)?, isUsable: @escaping @Sendable (String) -> Bool
    ) {
        self.name = name
        self.text = text
        self.isUsable = isUsable
        self.state = Mutex(State(value: Secret(value)))
    }

    package var description: String { "\(self.name) [redacted]" }

    /// Whether it stands in a file. Otherwise it never changes.
    package var isRenewable: Bool { self.text != nil }

    package var current: Secret<String> { self.state.withLock { $0.value } }

    /// Reads the file again. `isAsked`: an operator has asked for it, and hears the result in any case.
    ///
    /// Blocks for one small local file. An operator should replace the file by renaming another one over it, because a
    /// half-written file may look like a secret.
    @discardableResult
    package func readAgain(isAsked: Bool = false) -> Reading {
        let (reading, tell) = self.reading.withLock { _ in self.read(isAsked: isAsked) }
        tell?(reading)
        return reading
    }

    /// Returns another secret than the one that was refused, after reading the file again; nil when there is none.
    ///
    /// Cancelled here: the file is read all the same.
    package func renewed(refused: Secret<String>) async -> Secret<String>? {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            self.queue.async {
                // Of many calls that are refused together, the first one reads.
                if self.current.reveal() == refused.reveal() { self.readAgain() }
                done.resume()
            }
        }
        let current = self.current
        return current.reveal() == refused.reveal() ? nil : current
    }

    /// Returns the secret as its file has it now. A new connection asks for it, so that a refused one is tried again
    /// with the new password. While somebody else reads the file, it is the secret in use.
    package var url: @Sendable () -> String {
        return {
            let news = self.reading.withLockIfAvailable { _ in self.read(isAsked: false) }
            if let (reading, tell) = news { tell?(reading) }
            return self.current.reveal()
        }
    }

    /// Calls `tell` after each change, once when the file has become unusable, and for each reading that was asked for.
    package func onNews(_ tell: @escaping Tell) { self.state.withLock { $0.tell = tell } }

    /// Returns the reading, and who is to hear of it. `reading` must be held.
    private func read(isAsked: Bool) -> (Reading, Tell?) {
        guard let read = self.text else { return (.same, nil) }
        let text = read().flatMap { !$0.isEmpty && self.isUsable($0) ? $0 : nil }
        return self.state.withLock { state -> (Reading, Tell?) in
            let wasBroken = state.isBroken
            state.isBroken = text == nil
            guard let text else { return (.unusable, isAsked || !wasBroken ? state.tell : nil) }
            guard state.value.reveal() != text else { return (.same, isAsked ? state.tell : nil) }
            state.value = Secret(text)
            return (.changed, state.tell)
        }
    }
}

/// The secrets of one process that may change while it runs.
package struct SecretSources: Sendable {
    package let database: SecretSource
    /// The same as `database` unless DATABASE_DIRECT_URL is set.
    package let directDatabase: SecretSource
    package let provider: SecretSource?

    /// The secrets that stand in files.
    package var renewable: [SecretSource] {
        let direct = self.directDatabase === self.database ? nil : self.directDatabase
        return [self.database, direct, self.provider].compactMap { $0 }.filter(\.isRenewable)
    }
}
