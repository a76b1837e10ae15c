// SPDX-License-Identifier: Apache-2.0
// The numbers that the rules of a job need.

package struct LifeRules: Sendable {
    /// From the moment a create may have left us until an empty answer counts.
    package var landingTime: Duration
    /// Tries that count before a job is buried.
    package var maximumAttempts: Int
    /// Vanished workers before a job is buried.
    package var maximumCrashes: Int

    package init(landingTime: Duration = .seconds(40), maximumAttempts: Int = 20, maximumCrashes: Int = 3) {
        self.landingTime = landingTime
        self.maximumAttempts = maximumAttempts
        self.maximumCrashes = maximumCrashes
    }
}
