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
    @OrNull package private(set) var worker: String?
    @OrNull package private(set) var httpStatus: Int32?
    @OrNull package private(set) var providerRequestID: String?
    @OrNull package private(set) var errorCode: String?

    enum CodingKeys: String, CodingKey {
        case at, from, to, generation, epoch, worker
        case httpStatus = "http_status"
        case providerRequestID = "provider_request_id"
        case errorCode = "error_code"
    }
}
