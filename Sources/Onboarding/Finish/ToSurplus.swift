// SPDX-License-Identifier: Apache-2.0
// A credential that could not be recorded is deleted when it is proven that the ledger does not own it.

import Model
package import Postgres

extension Evidence {
    /// Remembers a credential that `record` could not write as surplus, under the user's lock. Returns its id when it
    /// is surplus.
    ///
    /// It is surplus when another credential owns its generation, or when the generation is closed. It is not when this
    /// very id is recorded: a finish was done twice. Nor when the ledger lost the commit that opened its generation:
    /// the sweep finds it then.
    package var toSurplus: SQL {
        """
        with remembered as (
            insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
            select \(self.providerID), users.tenant_id, users.user_id, \(self.generation), \(self.name), \(self.tag)
            from dialtone.users
            where users.tenant_id = \(self.user.tenant) and users.user_id = \(self.user.user)
              and not exists (select 1 from dialtone.credentials where provider_id = \(self.providerID))
              and exists (select 1 from dialtone.installation where installation.id = \(self.installation))
              and (users.wanted = 'gone' and users.generation = \(self.generation)
                   or users.generation > \(self.generation)
                   or exists (select 1 from dialtone.credentials
                              where credentials.tenant_id = users.tenant_id and credentials.user_id = users.user_id
                                and credentials.generation = \(self.generation) offset 0))
            on conflict do nothing
            returning tenant_id, user_id, generation, provider_id, tag)
        \(Finding.write(kind: Self.whyNotRecorded, from: "remembered"))
        returning provider_id
        """
    }

    /// Another credential has its generation, or the generation is closed. Index credentials_pkey.
    private static let whyNotRecorded: SQL = """
        case when exists (select 1 from dialtone.credentials
                          where credentials.tenant_id = remembered.tenant_id
                            and credentials.user_id = remembered.user_id
                            and credentials.generation = remembered.generation offset 0)
             then 'second' else 'closed' end
        """
}
