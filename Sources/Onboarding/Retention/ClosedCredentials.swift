// SPDX-License-Identifier: Apache-2.0
// A credential that is gone at the provider keeps no secret: what is sealed of it is overwritten, a page at a time.

import Postgres

/// The row itself stays: its generation is never opened again. Nobody reads what was sealed in it.
enum ClosedCredentials {
    /// Overwrites user name, password and blind index of the next page, the longest gone first. Returns one row: how
    /// many there were.
    ///
    /// Locks the rows and skips those that another transaction holds. A credential that shows again is closed a second
    /// time, for which no secret is needed. Every delete writes its time. Index credentials_sealed. A locked row does
    /// not move, so it is found again by its place (`ctid`).
    static func overwrite(limit: Int64) -> SQL {
        """
        with due as materialized (
            select credentials.ctid as place from dialtone.credentials
            where credentials.status = 'deleted' and credentials.sealed_password <> ''
              and credentials.deleted_at <= statement_timestamp()
            order by credentials.deleted_at limit \(limit)
            for no key update skip locked),
        overwritten as (
            update dialtone.credentials
            set sealed_username = '', sealed_password = '', username_index = decode(repeat('00', 16), 'hex')
            where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }
}
