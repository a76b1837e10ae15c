// SPDX-License-Identifier: Apache-2.0
// What was found to differ between the ledger and the provider, and was put right: a row of `findings`.
//
// A correction writes it in its own statement or transaction, from the rows that it has changed. So a difference that
// stays as it is from visit to visit is written once.

import Model
import Postgres

enum FindingKind: String, CaseIterable, Sendable {
    /// Another credential of a generation that has one. It is deleted.
    case second
    /// A credential of a generation that is closed. It is deleted.
    case closed
    /// A credential that the ledger did not know and no job would have looked for. Its user wanted it and gets it.
    case adopted
    /// The provider has it no more. It is asked for again.
    case missing
    /// It was missing, and is there again.
    case returned
    /// The provider has it no more. The user gets another.
    case gone
    /// The provider has ended it. A user who wants one gets another.
    case expired
    /// It was to be deleted, and is not there. An operator has said that absence is to be believed.
    case absent
    /// The provider shows what was deleted. It is deleted again.
    case reopened
    /// It stands under another tag than the ledger had.
    case moved
    /// A credential under our name that no user can have.
    case stray
}

enum Finding {
    /// The tenant of a credential whose tag names none.
    static let noTenant = "-"

    /// `insert into findings` from the rows of `source` (tenant_id, user_id, generation, provider_id, tag), which is a
    /// part of the statement that has changed them.
    ///
    /// A credential has one row of a kind. A second time makes it new, but for `adopted`: a repair that waits for a job
    /// is repeated. Rows are locked by provider id, behind all others of the correction. Index findings_pkey.
    static func write(_ kind: FindingKind, from source: String) -> SQL {
        self.write(kind: "\(kind.rawValue)", from: source, isOnce: kind == .adopted)
    }

    /// As above, with the kind as an expression over the row of `source`.
    static func write(kind: SQL, from source: String, isOnce: Bool = false) -> SQL {
        """
        insert into dialtone.findings (kind, tenant_id, user_id, generation, provider_id, tag)
        select \(kind), coalesce(tenant_id, \(Self.noTenant)), user_id, generation, provider_id, tag
        from \(unsafeText: source) order by provider_id collate "C"
        on conflict (provider_id, kind) do \(isOnce ? Self.nothing : Self.renewal)
        """
    }

    private static let nothing: SQL = "nothing"
    private static let renewal: SQL = """
        update set at = excluded.at, tenant_id = excluded.tenant_id, user_id = excluded.user_id,
                   generation = excluded.generation, tag = excluded.tag
        """
}

/// A credential that a list has shown and the ledger does not have, and whose name it bears.
struct FoundCredential: Sendable {
    let id: ProviderID
    let owner: OwnedName
    /// The tag that it was listed under; nil: not known.
    let tag: String?

    /// Writes it down as adopted, with the repair that makes its user's job take it.
    var adopted: SQL {
        """
        with found (tenant_id, user_id, generation, provider_id, tag) as (
            values (\(self.owner.user.tenant)::text, \(self.owner.user.user)::text, \(self.owner.generation)::integer,
                    \(self.id)::text, \(self.tag)::text))
        \(Finding.write(.adopted, from: "found"))
        """
    }
}
