// SPDX-License-Identifier: Apache-2.0
// How one run of the sweep is to be made: over which tenants, how fast, and how much it may change.

/// The options of one run. By default it covers all tenants and changes what is safe to change.
package struct SweepOptions: Sendable {
    /// The only tenant whose tags an operator asks for; nil for all. A run over one tenant is not full.
    package var tenant: TenantID?
    /// Look and count; change nothing.
    package var isDryRun = false
    /// Delete credentials that bear this installation's name and belong to no user of the ledger. An operator says so.
    package var deletesStrays = false
    /// Go on in a tag where more would change than one run may change without an operator's word.
    package var isConfirmed = false
    /// Count a missing credential as gone, although nothing proves that this is the right account.
    package var believesAbsence = false
    /// Run to the end: look a second time for what is missing, after the landing time, and delete the surplus.
    package var isThorough = true
    /// The pause between two calls, so that other work keeps its share of the provider's rate.
    package var pace: Duration = .zero
    /// The longest time for which a call waits while calls are held back. No pause lasts longer than 15 minutes.
    package var patience: Duration = .seconds(960)

    package init() {}
}
