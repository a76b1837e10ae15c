// SPDX-License-Identifier: Apache-2.0
// Why a sweep that an operator has asked for did not run.

package enum SweepError: Error, CustomStringConvertible {
    case notTrusted

    package var description: String {
        switch self {
        case .notTrusted:
            "the database server has changed, and what is unknown here may be somebody's: nothing unknown is deleted "
                + "before every tag was seen and, after a restore, dialtone installation confirm was run"
        }
    }
}
