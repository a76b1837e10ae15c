// SPDX-License-Identifier: Apache-2.0
// How many lists of each kind were asked for, and how many bytes all responses took.

/// What a list was asked for.
enum ListKind: String, Sendable, CaseIterable {
    /// One credential of a tag, and with it how many the tag holds.
    case count
    case tag, name, account

    init(_ filter: ListFilter, size: Int) {
        if filter.name != nil {
            self = .name
        } else if filter.tag != nil {
            self = size == 1 ? .count : .tag
        } else {
            self = .account
        }
    }
}

/// What went over the wire since the start.
struct Traffic: Sendable {
    var lists: [ListKind: Int] = [:]
    /// Of the bodies of responses that no fault has changed.
    var bytes = 0
}
