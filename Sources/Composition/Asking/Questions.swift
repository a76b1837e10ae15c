// SPDX-License-Identifier: Apache-2.0
// What a command may ask of the ledger, whichever way it asks: over HTTP with a key, or in the database itself.

package import Directory
package import Foundation
package import Model

/// A page of anything, and the cursor of the next one.
package struct Answer<Element: Sendable>: Sendable {
    package let data: [Element]
    /// Nil on the last page.
    package let next: String?

    package init(_ data: [Element], next: String? = nil) {
        self.data = data
        self.next = next
    }
}

/// A page of a user's steps.
package struct LifeAnswer: Sendable {
    package let data: [TimelineEntry]
    /// Nil on the last page.
    package let next: String?
    /// Since when every step of a job is kept; nil: from the beginning.
    package let logFrom: Date?
}

/// A caller's questions. A question about a thing that does not exist is answered by nil.
///
/// Both ways give the same answers, so a command is written once.
package protocol Questions: Sendable {
    func tenants() async throws -> [TenantEntry]
    func users(_ list: UserList, after: String?, limit: Int) async throws -> Answer<UserEntry>
    func count(_ list: UserList) async throws -> UserCount
    func user(_ user: UserKey) async throws -> UserEntry?
    func why(_ user: UserKey) async throws -> Why
    func timeline(_ user: UserKey, after: String?, limit: Int) async throws -> LifeAnswer?
    func proof(_ user: UserKey) async throws -> Proof?
    func verify(_ user: UserKey) async throws -> Proof?
    func find(_ text: String, in tenant: TenantID) async throws -> [Found]
    func events(
        of tenant: TenantID, _ filter: EventFilter, after: String?, limit: Int
    ) async throws -> Answer<ToldEvent>
    func event(_ id: EventID, of tenant: TenantID) async throws -> ToldEvent?
    func refusals(of tenant: TenantID, source: String?) async throws -> [RefusalEntry]
    func jobs(of tenant: TenantID, state: JobState?, after: String?, limit: Int) async throws -> Answer<WaitingJob>
    func failures(of tenant: TenantID) async throws -> [FailureGroup]
    func tags(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<TagEntry>
    func findings(of tenant: TenantID, after: String?, limit: Int) async throws -> Answer<FindingEntry>
    func summary(of tenant: TenantID, hours: Int) async throws -> Summary?
    /// Tells what happens in the tenant until the task is cancelled. `place`: where an earlier reader has stopped.
    func tail(_ tenant: TenantID, from place: String?, _ tell: @Sendable (Told) -> Void) async throws
}

/// One thing that has happened, and the place after it.
package struct Told: Sendable {
    package let place: String
    package let user: String
    package let step: TimelineEntry
}
