// SPDX-License-Identifier: Apache-2.0
// The presets that the program brings along: one file each, in the grammar of users' own sources.

package enum Presets {
    private static let texts: [(name: String, text: [UInt8])] = [
        ("auth0", PackageResources.auth0_json),
        ("auth0-logs", PackageResources.auth0_logs_json),
        ("clerk", PackageResources.clerk_json),
        ("cloudevents", PackageResources.cloudevents_json),
        ("cognito", PackageResources.cognito_json),
        ("keycloak", PackageResources.keycloak_json),
        ("okta", PackageResources.okta_json),
        ("standard", PackageResources.standard_json),
        ("stytch", PackageResources.stytch_json),
        ("stytch-consumer", PackageResources.stytch_consumer_json),
        ("supabase-db", PackageResources.supabase_db_json),
        ("supabase-hook", PackageResources.supabase_hook_json),
        ("svix", PackageResources.svix_json),
        ("workos", PackageResources.workos_json),
    ]

    package static var names: [String] { Self.texts.map(\.name) }

    /// Returns the file's text; nil for a name that is not known.
    package static func text(of name: String) -> [UInt8]? { Self.texts.first { $0.name == name }?.text }
}
