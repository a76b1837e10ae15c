// SPDX-License-Identifier: Apache-2.0
// Which credentials a list shows.

/// The filters of a list request. Nil filters nothing.
struct ListFilter: Sendable, Equatable {
    var name: String?
    var tag: String?
    var status: String?
    var resourceID: String?
    var sipUsername: String?
}
