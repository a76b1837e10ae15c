// SPDX-License-Identifier: Apache-2.0
// A secret that may change while the process runs: its value, and the file from which it is read again.

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

    private struct State {
        var value: Secret<String>
        var tell: (@Sendable () -> Void)?
    }

    /// The setting's name.
    package let name: String
    private let file: SecretFile?
    private let isUsable: @Sendable (String) -> Bool
    private let state: Mutex<State>
    /// Held while the file is read, so that a slow reader cannot put the old secret back.
    private let reading = Mutex(())

    /// Without a file the secret never changes.
    init(name: String, value: String, file: SecretFile?, isUsable: @escaping @Sendable (String) -> Bool) {
        self.name = name
        self.file = file
        self.isUsable = isUsable
        self.state = Mutex(State(value: Secret(value)))
    }

    package var description: String { "\(self.name) [redacted]" }

    /// Whether it stands in a file. Otherwise it never changes.
    package var isRenewable: Bool { self.file != nil }

    package var current: Secret<String> { self.state.withLock { $0.value } }

    /// Reads the file again.
    ///
    /// Blocks for one small local file. An operator should replace the file by renaming another one over it, because a
    /// half-written file may look like a secret.
    @discardableResult
    package func readAgain() -> Reading {
        guard let file else { return .same }
        let (reading, tell) = self.reading.withLock { _ -> (Reading, (@Sendable () -> Void)?) in
            guard let text = file.read(), !text.isEmpty, self.isUsable(text) else { return (.unusable, nil) }
            return self.state.withLock { state in
                guard state.value.reveal() != text else { return (.same, nil) }
                state.value = Secret(text)
                return (.changed, state.tell)
            }
        }
        tell?()
        return reading
    }

    /// Returns another secret than the one that was refused, after reading the file again; nil when there is none.
    package func renewed(refused: Secret<String>) -> Secret<String>? {
        self.readAgain()
        let current = self.current
        return current.reveal() == refused.reveal() ? nil : current
    }

    /// Returns the secret as its file has it now. A new connection asks for it, so that a refused one is tried again
    /// with the new password.
    package var url: @Sendable () -> String {
        return {
            self.readAgain()
            return self.current.reveal()
        }
    }

    /// Calls `tell` after each change.
    package func onChange(_ tell: @escaping @Sendable () -> Void) { self.state.withLock { $0.tell = tell } }
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
