// SPDX-License-Identifier: Apache-2.0
// How often each rare case occurred in simulated lives. A case that never occurs is not tested.

/// Counts of one life, or of many.
package struct Tally: Sendable {
    package enum Kind: Int, CaseIterable, Sendable {
        /// Creates that landed although a credential of their name was there, without any fault of the provider.
        case secondCreates
        /// Creates that landed after their answer was given up.
        case lateCreates
        /// Second credentials of one request.
        case duplicates
        /// Credentials that were recorded because a look had found them.
        case adopted
        case surplusDeleted
        case burials
        case vanished
        case expired
        /// Promotions of a standby that lacked commits.
        case lostCommits
        /// Jobs of a claim whose answer was lost, which went back.
        case putBack
        /// Pipelines that broke off.
        case brokenExchanges
        case rotations
        case revokes
        /// Deliveries whose statement had begun before other transactions committed.
        case waitedForLock
        /// Transactions whose client gave up. They commit later, or never.
        case givenUp
        /// Sign-ups after a revoke.
        case signedUpAgain
        /// Moments at which all credentials got new ids.
        case newIDs
        /// Visits that counted, and visits that listed.
        case counted
        case listed
        /// Credentials that belong to no user the ledger knows.
        case strays
        /// Names in doubt that were looked up after five minutes or later.
        case followed
        /// Dead jobs that were tried again by themselves.
        case triedAgain
        /// Jobs that were set aside after a look.
        case setAside
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)

    package init() {}

    package subscript(kind: Kind) -> Int { self.counts[kind.rawValue] }

    mutating func count(_ kind: Kind) { self.counts[kind.rawValue] += 1 }

    package static func += (tally: inout Tally, other: Tally) {
        for index in tally.counts.indices { tally.counts[index] += other.counts[index] }
    }
}

extension Tally: CustomStringConvertible {
    package var description: String { Kind.allCases.map { "\($0) \(self[$0])" }.joined(separator: ", ") }
}
