// SPDX-License-Identifier: Apache-2.0
// The times of a simulated life, in milliseconds of its virtual time.

enum Times {
    static let lease = 30_000
    static let deadline = 10_000
    static let margin = 30_000
    static let landingTime = deadline + margin
    /// A dead job waits so long at first. In production it is an hour.
    static let deadPause = 100_000
    /// From then on no dead job is tried again, so that nothing is left to do at the end.
    static let lastTry = end - 200_000
    /// From a create until lists show it, at most.
    static let longestLag = 5000
    /// From an operator's word on a stray until its delete; in production it is two minutes.
    static let reprieve = 40_000
    /// A name in doubt is looked up after so long, and again and again.
    static let followPause = 100_000
    /// So long a late credential may live whose name is in doubt: a pause, and some calls and retries.
    static let doubtBound = followPause + 60_000
    /// A whole list is due after so long; in production it is a week. No visit is put off for longer.
    static let listAge = 400_000
    /// From the opening of a shard to its first visit; in production it is ten minutes.
    static let firstVisit = 60_000
    /// From one walk over the account's pages to the next; in production it is four days.
    static let walkRound = 300_000
    /// So long a credential may live whose tag the ledger has lost: a round, and some calls and retries.
    static let walkBound = walkRound + 100_000
    /// Faults end here.
    static let stormEnd = 150_000
    /// The life ends here, and nothing may be left to do.
    static let end = 1_400_000
}
