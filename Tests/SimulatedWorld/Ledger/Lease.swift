// SPDX-License-Identifier: Apache-2.0
// A claimed job as its worker holds it: a write counts only while the ledger still agrees with all four fields.

import Model

struct Lease: Equatable {
    var job: Int
    var epoch: Int
    var worker: Int
    var state: JobState
}
