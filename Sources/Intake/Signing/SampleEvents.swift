// SPDX-License-Identifier: Apache-2.0
// The events that the program can send in place of a preset's sender: one file each in `Samples`.

import Foundation
package import Model

/// A file has the sender's events by their names, as the sender sends them. `created`, `deleted` and `removed` name
/// those that make a user, take one away, and end a membership: often more than one.
package struct SampleEvents: Sendable {
    package let preset: String
    private let file: JSONValue

    /// Throws for a preset that there is not.
    package init(preset: String) throws(InvalidValue) {
        guard let text = Self.files.first(where: { $0.name == preset })?.text, let file = try? JSONValue(parsing: text)
        else { throw InvalidValue("--preset", "is not known; there are: \(Presets.names.joined(separator: ", "))") }
        self.preset = preset
        self.file = file
    }

    /// The sender's own names of its events.
    package var names: [String] {
        guard case .object(let members)? = self.file["events"] else { return [] }
        return members.map(\.key)
    }

    /// What the names of the sender's headers begin with, where it signs as Standard Webhooks does.
    package var headerPrefix: String { self.file["header_prefix"]?.string ?? DeliveryDraft.standardPrefix }

    /// What stands for several events, or for the one that a sender has.
    private static let words = ["created", "deleted", "removed"]

    /// Returns the names of the events that one word stands for, in the sender's order. A name stands for itself.
    package func names(of event: String) throws(InvalidValue) -> [String] {
        if Self.words.contains(event), case .array(let names)? = self.file[event] { return names.compactMap(\.string) }
        if self.names.contains(event) { return [event] }
        let words = Self.words.filter { self.file[$0] != nil }
        let all = (words + self.names.filter { !words.contains($0) }).joined(separator: ", ")
        throw InvalidValue("--event", "is none of \(self.preset); there are: \(all)")
    }

    /// Whether an event takes its user away, or out of the tenant.
    package func isTaking(_ event: String) -> Bool {
        let gives = (try? self.names(of: "created")) ?? []
        let takes = ["deleted", "removed"].flatMap { (try? self.names(of: $0)) ?? [] }
        return ["deleted", "removed"].contains(event) || takes.contains(event) && !gives.contains(event)
    }

    /// Returns the delivery of an event, not signed yet. `id` is the delivery's; without it the sender's form of one.
    package func draft(of name: String, id: String?, filled: SampleFilling) -> DeliveryDraft {
        var filling = filled
        let id = id ?? filling.text(self.file["id"]?.string ?? "{uuid}")
        filling.id = id
        var headers: [(name: String, value: String)] = [(name: "content-type", value: "application/json")]
        if case .object(let own)? = self.file["headers"] {
            headers = own.map { (name: $0.key, value: $0.value.string ?? "") }
        }
        let body = filling.value(self.file["events"]?[name] ?? .null)
        var draft = DeliveryDraft(id: id, headers: headers, body: Array(body.text.utf8))
        draft.headerPrefix = self.headerPrefix
        return draft
    }

    private static let files: [(name: String, text: [UInt8])] = [
        ("auth0", PackageResources.auth0_event_json),
        ("auth0-logs", PackageResources.auth0_logs_event_json),
        ("clerk", PackageResources.clerk_event_json),
        ("cloudevents", PackageResources.cloudevents_event_json),
        ("cognito", PackageResources.cognito_event_json),
        ("keycloak", PackageResources.keycloak_event_json),
        ("okta", PackageResources.okta_event_json),
        ("standard", PackageResources.standard_event_json),
        ("stytch", PackageResources.stytch_event_json),
        ("stytch-consumer", PackageResources.stytch_consumer_event_json),
        ("supabase-db", PackageResources.supabase_db_event_json),
        ("supabase-hook", PackageResources.supabase_hook_event_json),
        ("svix", PackageResources.svix_event_json),
        ("workos", PackageResources.workos_event_json),
    ]
}
