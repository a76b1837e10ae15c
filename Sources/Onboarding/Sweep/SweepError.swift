// SPDX-License-Identifier: Apache-2.0
// Why a sweep that an operator has asked for did not run or did not end.

package enum SweepError: Error, CustomStringConvertible {
    case running
    case leaseLost
    case notTrusted

    package var description: String {
        switch self {
        case .running: "another sweep is running; try again when it has ended"
        case .leaseLost: "another sweep has taken over"
        case .notTrusted:
            "the database server has changed, and what is unknown here may be somebody's: nothing is deleted before a full "
                + "sweep has ended and, after a restore, dialtone installation confirm was run"
        }
    }
}
