// SPDX-License-Identifier: Apache-2.0
// The times of a simulated life, in milliseconds of its virtual time.

enum Times {
    static let lease = 30_000
    static let deadline = 10_000
    static let margin = 30_000
    static let landingTime = deadline + margin
    /// Faults end here.
    static let stormEnd = 150_000
    /// The life ends here, and nothing may be left to do.
    static let end = 1_400_000
}
