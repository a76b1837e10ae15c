// SPDX-License-Identifier: Apache-2.0
// Why the provider could not be tried, in a sentence that says to an operator where to look.

import Telnyx

extension TelnyxFailure {
    /// The sentence, with the status and the provider's words, or without an answer the HTTP client's reason.
    var asProblem: String {
        let words = [self.words.code, self.words.text].compactMap { $0 }.joined(separator: " ")
        let facts = [self.trace.httpStatus.map { "HTTP \($0)" }, words.isEmpty ? nil : words].compactMap { $0 }
        return facts.isEmpty ? self.sentence : "\(self.sentence) (\(facts.joined(separator: ": ")))"
    }

    private var sentence: String {
        switch self.kind {
        case .refused where self.trace.httpStatus == 403: "the API key may not list credentials"
        case .refused: "the provider refuses the API key"
        case .rateLimited: "the provider asks to slow down; try again later"
        case .unavailable where self.trace.httpStatus == nil: "the provider cannot be reached"
        case .unavailable: "the provider does not serve now"
        case .notFound, .rejected, .unreadable: "TELNYX_BASE_URL leads to something else than the provider's API"
        }
    }
}
