// SPDX-License-Identifier: Apache-2.0
// The reasons why a chaos run cannot go on, apart from its verdict.

enum ChaosError: Error, CustomStringConvertible {
    case late(String)
    case notReady(String)

    var description: String {
        switch self {
        case .late(let what): "\(what) took too long"
        case .notReady(let what): "\(what) did not become ready"
        }
    }
}
