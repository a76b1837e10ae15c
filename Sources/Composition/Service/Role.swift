// SPDX-License-Identifier: Apache-2.0
// The two roles that a process of Dialtone may have.

package enum Role: String, Sendable, CaseIterable {
    /// Receives webhooks, stores their events, and hands out login tokens.
    case api
    /// Creates and deletes credentials at the provider, and sweeps.
    case worker
}
