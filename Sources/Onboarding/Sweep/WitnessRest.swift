// SPDX-License-Identifier: Apache-2.0
// The rest of the workers' visits while no known credential answers: the key may be of another organisation.

/// It stands as a pause of the sweep, with its reason. An operator's sweep does not rest.
package enum WitnessRest {
    /// It begins after so many visits without a witness in a row.
    static let visits = 3
    package static let length: Duration = .seconds(600)
    /// The reason in the row of the pause.
    package static let reason = "no witness"
}
