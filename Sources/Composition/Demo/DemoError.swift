// SPDX-License-Identifier: Apache-2.0
// The reasons why the demo did not come to its good end.

package enum DemoError: Error, CustomStringConvertible {
    /// A request to the service was not answered with success.
    case refused(status: Int, body: String)
    /// For a minute no other user became ready.
    case late(ready: Int)
    case incomplete
    case notStarted

    package var description: String {
        switch self {
        case .refused(let status, let body): "a request was answered \(status): \(body)"
        case .late(let ready): "only \(ready) users were ready, and no other for a minute"
        case .notStarted: "the service or the simulated provider ended before it was ready"
        case .incomplete: "credentials are missing or doubled"
        }
    }
}
