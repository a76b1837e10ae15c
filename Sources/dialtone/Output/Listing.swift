// SPDX-License-Identifier: Apache-2.0
// The JSON form of every listing: `{"data":[…],"next":…}`.

import Model

/// `next` is the start of the next page, and null when there is none.
struct Listing<Element: Encodable>: Encodable {
    var data: [Element]
    @OrNull var next: String?
}
