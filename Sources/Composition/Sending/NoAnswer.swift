// SPDX-License-Identifier: Apache-2.0
// The error of a request that got no answer, in words that say where to look.

import AsyncHTTPClient
import Foundation

package struct NoAnswer: Error, CustomStringConvertible {
    private let address: String
    private let reason: String

    /// The rest of the URL is not shown: who knows a hook's path knows half of what a sender needs.
    init(from url: String, _ error: any Error) {
        let parts = URL(string: url)
        let port = parts?.port.map { ":\($0)" } ?? ""
        self.address = (parts?.host ?? "the address") + port
        self.reason =
            switch error {
            case let error as HTTPClientError: error.shortDescription
            case is CancellationError: "cancelled"
            default: "connection failed"
            }
    }

    package var description: String { "no answer from \(self.address): \(self.reason). Does the service listen there?" }
}
