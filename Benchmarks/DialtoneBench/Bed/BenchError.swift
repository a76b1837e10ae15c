// SPDX-License-Identifier: Apache-2.0
// The reasons why a benchmark gives no figure.

enum BenchError: Error, CustomStringConvertible {
    case notReady(String)
    case refused(String)
    case late(String)

    var description: String {
        switch self {
        case .notReady(let command): "dialtone \(command) did not become ready"
        case .refused(let what): "refused: \(what)"
        case .late(let what): "took too long: \(what)"
        }
    }
}
