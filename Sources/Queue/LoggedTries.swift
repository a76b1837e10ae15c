// SPDX-License-Identifier: Apache-2.0
// How a credential came to be, or has not yet: creates, lost answers and looks, as the log of jobs shows them.

package import Postgres

/// A create that was sent shows as its answer, as an unknown outcome, or as a lease that was lost: that create may have
/// been sent. A look shows as a line that leaves `looking`. A job that was armed and looked first has no answer in its
/// last line.
package enum LoggedTries {
    /// Three columns over rows of `job_log`: `creates`, `answers_lost` and `looks`.
    package static let counts: SQL = """
        count(*) filter (where \(Self.isCreate))::integer as creates,
        count(*) filter (where \(Self.isLostAnswer))::integer as answers_lost,
        count(*) filter (where \(Self.isLook))::integer as looks
        """

    private static let isLostAnswer: SQL = """
        from_state = 'armed' and (error_code like 'unknown:%' or error_code in ('lease_expired', 'worker_gone'))
        """

    /// A line into doubt with an answer is a failed look of an armed job, unless it says that the credential was there.
    private static let isCreate: SQL = """
        \(Self.isLostAnswer)
        or from_state = 'armed' and http_status is not null
           and (to_state <> 'in_doubt' or error_code = 'found_not_taken')
        """

    private static let isLook: SQL = """
        from_state = 'looking' and (error_code in ('lease_expired', 'worker_gone', 'claim_lost')) is not true
        or from_state = 'armed' and to_state = 'owned' and http_status is null
        """
}
