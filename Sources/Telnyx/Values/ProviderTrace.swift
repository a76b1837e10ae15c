// SPDX-License-Identifier: Apache-2.0
// The status and id of one of the provider's responses, by which a log line can be matched with it.

/// The HTTP status and the request id of a response. Both are nil when there was no response.
package struct ProviderTrace: Sendable, Equatable {
    package var httpStatus: Int?
    package var requestID: String?

    package init(httpStatus: Int? = nil, requestID: String? = nil) {
        self.httpStatus = httpStatus
        self.requestID = requestID
    }
}
