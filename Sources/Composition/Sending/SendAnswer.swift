// SPDX-License-Identifier: Apache-2.0
// What a hook has answered to one delivery, and whether anything follows of it.

import Model

package struct SendAnswer: Sendable {
    /// The sender's name of the event.
    package let event: String
    /// Counted from 1: the second one is the same delivery again.
    package let time: Int
    package let status: Int
    package let body: String
    /// What has become of the event; nil where the answer does not say.
    let outcome: EventOutcome?

    /// Whether it was taken.
    package var isTaken: Bool { (200..<300).contains(self.status) }

    /// Whether the hook is somewhere else. Nobody follows: the sender's secret may stand in a header.
    package var isRedirect: Bool { (300..<400).contains(self.status) }
}

extension [SendAnswer] {
    /// Throws `NotThere` where the events change nothing, so that nobody takes the user's state for their work.
    ///
    /// An event in quarantine is missing. An ignored one may not matter: where a source has one tenant, it asks nothing
    /// of memberships. So all must be ignored, or say what is older than what the sender said before.
    package func requireEffect() throws(NotThere) {
        let first = self.filter { $0.time == 1 }
        if let kept = first.first(where: { $0.outcome == .quarantined }) {
            throw NotThere(
                description: "\(kept.event) is in quarantine and changes nothing: dialtone event list --quarantined "
                    + "says why; an organisation is mapped with dialtone source map add SOURCE ORGANISATION TENANT")
        }
        guard let last = first.last, first.allSatisfy({ [.ignored, .superseded].contains($0.outcome) }) else { return }
        guard last.outcome == .ignored else {
            throw NotThere(
                description: "\(last.event) is superseded and changes nothing: the sender has said something newer")
        }
        throw NotThere(
            description: "\(last.event) is ignored and changes nothing: the source asks nothing of such an event; "
                + "dialtone source check says what a source makes of it")
    }
}
