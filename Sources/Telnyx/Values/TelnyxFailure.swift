// SPDX-License-Identifier: Apache-2.0
// Why a call other than a create did not work.

/// The failure of a list, retrieve, delete or token call.
package struct TelnyxFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// Status 404.
        case notFound
        /// Status 429.
        case rateLimited
        /// Status 401 or 403.
        case refused
        /// Status 400 or 422.
        case rejected
        /// Any other status, no response, or a deadline that has passed.
        case unavailable
        /// The expected status with a body that is not what it must be, or a list without an end.
        case unreadable
    }

    package var kind: Kind
    package var trace: ProviderTrace
    /// The provider's words. Without a response, the reason in a few words of our own.
    package var words: ProviderWords
    /// How long the provider asks us to wait. Only `rateLimited` has it.
    package var retryAfter: Duration?

    package init(
        _ kind: Kind, _ trace: ProviderTrace = ProviderTrace(), words: ProviderWords = ProviderWords(),
        retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.trace = trace
        self.words = words
        self.retryAfter = retryAfter
    }

    package var isNotFound: Bool { self.kind == .notFound }

    package var description: String {
        let status = self.trace.httpStatus.map { " (HTTP \($0))" } ?? ""
        let words = [self.words.code, self.words.text].compactMap { $0 }.joined(separator: " ")
        return "provider: \(self.kind.rawValue)\(status)\(words.isEmpty ? "" : ": \(words)")"
    }
}
