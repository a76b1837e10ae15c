// SPDX-License-Identifier: Apache-2.0
// A tenant of the demo, with the address and the secrets that its own systems would hold.

package import Model

package struct DemoCustomer: Sendable {
    package let tenant: TenantID
    package let hookURL: String
    /// The source's secret, which signs sign-ups.
    package let secret: Secret<String>
    /// The API key, which asks for users and login tokens.
    package let key: Secret<String>
}
