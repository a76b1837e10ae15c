// SPDX-License-Identifier: Apache-2.0
// `dialtone event list --refused` and `--ignored`: what was not stored, by source, reason and count.

import Model

enum EventTally {
    static func show(outcome: String, source: String?, tenant: String?, limit: Int, json: Bool) async throws {
        throw InvalidValue("--\(outcome)", "is not counted yet")
    }
}
