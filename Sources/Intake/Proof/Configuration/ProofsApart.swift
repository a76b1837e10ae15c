// SPDX-License-Identifier: Apache-2.0
// Keeps the proofs of one source apart: what one of them signs must not pass as signed for another.

import Model

extension ProofConfiguration {
    /// Returns the proofs of a list, each knowing what it must leave to the others.
    ///
    /// All HMAC proofs of a source share its secrets. Who has seen `{timestamp}.{body}` signed could show the same
    /// signature to a proof without a time: with the time and the point as the beginning of the body, it would count
    /// for ever. Neither another header nor another encoding hinders that, because whoever sends chooses both.
    static func apart(_ all: [Terms], _ fields: ConfigurationFields) throws(InvalidValue) -> [Terms] {
        var apart: [Terms] = []
        for (number, terms) in all.enumerated() {
            guard !all[..<number].contains(terms) else { throw fields.error("any", "must hold different proofs") }
            guard case .hmac(var untimed) = terms, untimed.timestamp == nil else {
                apart.append(terms)
                continue
            }
            for case .hmac(let timed) in all where timed.timestamp != nil && timed.hash == untimed.hash {
                guard !untimed.content.excludes(timed.content) else { continue }
                guard let text = untimed.content.textAfterTime(of: timed.content) else {
                    throw fields.error("any[\(number)]", Self.confusion)
                }
                untimed.timedTexts.append(text)
            }
            apart.append(.hmac(untimed))
        }
        return apart
    }

    private static let confusion = """
        signs without a time what another of the proofs could have signed with one; make it a source of its own, or \
        let the content of the other begin with {timestamp} and its own be {body}
        """
}

extension ContentTemplate {
    private var opening: [UInt8] {
        if case .text(let text) = self.pieces.first { text } else { [] }
    }

    /// Whether nothing is a content of both, because they begin with different texts. A time is digits.
    func excludes(_ timed: ContentTemplate) -> Bool {
        if timed.pieces.first == .timestamp { return self.opening.first.map(SentTime.isDigit) == false }
        return zip(self.opening, timed.opening).contains { $0 != $1 }
    }

    /// Returns the text behind the time with which `timed` begins, where this is the body alone. A body that begins
    /// with digits and this text may be the other's content; any other body is not.
    ///
    /// Nil where no such rule tells the two apart.
    func textAfterTime(of timed: ContentTemplate) -> [UInt8]? {
        guard self == .body, timed.pieces.first == .timestamp else { return nil }
        guard case .text(let text) = timed.pieces[1], text.first.map(SentTime.isDigit) == false else { return [] }
        return text
    }
}
