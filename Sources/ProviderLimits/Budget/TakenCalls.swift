// SPDX-License-Identifier: Apache-2.0
// The budget's statements: calls are taken from the present slice, given back to it, and old slices are forgotten.

package import Postgres

/// What the database has granted of one request.
struct TakenCalls: Sendable, Equatable {
    /// Calls of each kind, in the order of `CallKind`.
    var got: [Int]
    /// The slice's number.
    var slice: Int64
    /// The rest of the slice.
    var lasts: Duration
}

extension TakenCalls {
    /// Takes up to `wants` calls of each kind. `dialtone.take_calls` decides. It locks the row of the present slice,
    /// which it finds by its primary key.
    static func take(_ wants: [Int], from scope: BudgetScope) -> SQL {
        """
        select got, slice, (extract(epoch from lasts) * 1000000)::bigint
        from dialtone.take_calls(\(scope.key), \(scope.rate), \(wants.map { Int32(clamping: $0) }))
        """
    }

    init(_ row: PostgresRow) throws {
        let (got, slice, lasts) = try row.decode([Int32].self, Int64.self, Int64.self)
        self.init(got: got.map(Int.init), slice: slice, lasts: .microseconds(lasts))
    }

    /// Gives calls back that were taken from this slice and not made. The kind has wanted no more than the rest.
    ///
    /// Locks the slice's row, which it finds by the primary key.
    static func giveBack(_ count: Int, of kind: CallKind, to slice: Int64, of scope: String) -> SQL {
        let place: SQL = "\(Int32(kind.place + 1))"
        let rest: SQL = "greatest(0, granted[\(place)] - \(Int32(clamping: count)))"
        return """
            update dialtone.provider_budget set granted[\(place)] = \(rest), asked[\(place)] = \(rest)
            where scope = \(scope) and slice = \(slice)
            """
    }
}

extension ProviderLimits {
    /// Forgets slices that are over for a minute. What was overdrawn is kept until it is repaid, at any rate.
    ///
    /// A clock that went back leaves slices of a time that is still to come. They go too, else their calls would be
    /// missing when that time comes. The table is walked: it has some hundred rows.
    package static let forgetSlices: SQL = """
        delete from dialtone.provider_budget
        where ends_at < clock_timestamp() - interval '1 minute'
              and ((select sum(calls) from unnest(granted) calls) <= cap
                   or ends_at < clock_timestamp() - interval '10 minutes')
           or ends_at > clock_timestamp() + interval '1 minute'
        """

    /// Cuts pauses and probes that end later than twice the longest there is: the database's clock has gone back.
    ///
    /// Locks such rows only, in the walk of a table that has one row for each limit.
    package static let cutPauses: SQL = """
        with longest as (select clock_timestamp() + \(ProviderLimits.longestPause) as one,
                                clock_timestamp() + \(ProviderLimits.longestPause * 2) as two,
                                clock_timestamp() + \(ProviderLimits.coolDown) as probe,
                                clock_timestamp() + \(ProviderLimits.coolDown * 2) as two_probes)
        update dialtone.provider_limits
        set paused_until = case when paused_until > longest.two then longest.one else paused_until end,
            learned_until = case when learned_until > longest.two then longest.one else learned_until end,
            probe_until = case when probe_until > longest.two_probes then longest.probe else probe_until end
        from longest
        where paused_until > longest.two or learned_until > longest.two or probe_until > longest.two_probes
        """

    /// No 429 asks for more.
    static let longestPause: Duration = .seconds(900)
}
