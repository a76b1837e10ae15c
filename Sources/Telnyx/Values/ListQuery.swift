// SPDX-License-Identifier: Apache-2.0
// A question for a list of credentials, and one page of its result.

/// The filters of a list. Nil filters nothing.
package struct ListQuery: Sendable {
    package var name: String?
    package var tag: String?
    package var status: String?
    /// `connection:<id>`.
    package var resourceID: String?
    package var sipUsername: String?
    /// 1 to 250.
    package var pageSize: Int

    package init(
        name: String? = nil, tag: String? = nil, status: String? = nil, resourceID: String? = nil,
        sipUsername: String? = nil, pageSize: Int = 250
    ) {
        self.name = name
        self.tag = tag
        self.status = status
        self.resourceID = resourceID
        self.sipUsername = sipUsername
        self.pageSize = pageSize
    }
}

/// One page of a list.
package struct CredentialPage: Sendable {
    package var credentials: [TelephonyCredential]
    /// Nil when the provider does not say it.
    package var totalPages: Int?
    /// Nil when the provider does not say it.
    package var totalResults: Int?

    package init(credentials: [TelephonyCredential], totalPages: Int?, totalResults: Int?) {
        self.credentials = credentials
        self.totalPages = totalPages
        self.totalResults = totalResults
    }
}
