// SPDX-License-Identifier: Apache-2.0
// The provider has no credential to mint a token from: that is written down, so that a worker asks again.

import Model
import Postgres
import Telnyx

/// Notes that a credential is missing. One answer proves nothing yet (`MissingCredentials` in Onboarding).
enum MissingNote {
    /// Whether the failure of a mint says that the credential is gone or has expired.
    static func isDue(to failure: TelnyxFailure) -> Bool {
        failure.kind == .notFound || failure.words.code == "55001"
    }

    /// The first note stands. Index credentials_provider_id_key.
    static func write(_ id: ProviderID) -> SQL {
        """
        update dialtone.credentials set missing_since = clock_timestamp()
        where provider_id = \(id) and status = 'active' and missing_since is null
        """
    }
}
