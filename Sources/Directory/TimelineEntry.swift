// SPDX-License-Identifier: Apache-2.0
// One step in the life of a user: a transition of the user's job.

package import Foundation
package import Model

package struct TimelineEntry: Sendable, Encodable {
    package let at: Date
    package let from: String
    package let to: String
    package let generation: Generation
    package let epoch: Int64
    package let worker: String?
    package let httpStatus: Int32?
    package let providerRequestID: String?
    package let errorCode: String?

    enum CodingKeys: String, CodingKey {
        case at, from, to, generation, epoch, worker
        case httpStatus = "http_status"
        case providerRequestID = "provider_request_id"
        case errorCode = "error_code"
    }
}
