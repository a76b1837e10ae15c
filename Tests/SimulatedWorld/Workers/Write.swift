// SPDX-License-Identifier: Apache-2.0
// The result of a simulated run, on its way into the ledger.

import Model

enum Write {
    /// The run has this credential, with its password.
    case record(Run, Int, password: UInt64)
    /// The job goes back into this state.
    case move(Run, JobState, delay: Int, isCharged: Bool, dropsTag: Bool = false, landingTime: Int?)
    /// The job waits until its scope is stopped no more, and then looks again.
    case setAside(Run)
    /// The generation is closed; with the id of the credential that was deleted, if there was one.
    case end(Run, Int?)
    /// The job leaves its generation for another first.
    case passOver(Run, after: Int)
    case bury(Run)

    var run: Run {
        switch self {
        case .record(let run, _, _), .move(let run, _, _, _, _, _), .setAside(let run), .end(let run, _),
            .passOver(let run, _), .bury(let run):
            run
        }
    }
}
