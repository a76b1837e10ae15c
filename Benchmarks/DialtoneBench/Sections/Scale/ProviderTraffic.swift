// SPDX-License-Identifier: Apache-2.0
// The calls that the simulator has heard, by what they ask for.

struct ProviderTraffic {
    var create = 0
    var retrieve = 0
    var delete = 0
    /// Lists of one credential of a tag; pages of tags; lists by name; pages of the account.
    var count = 0
    var tag = 0
    var name = 0
    var account = 0
    var bytes = 0

    static func now(_ control: SimulatorControl) async throws -> ProviderTraffic {
        struct Counts: Decodable {
            var requests: [String: Int]
            var lists: [String: Int]
            var bytes: Int
        }
        // The counts of one name only, because the others may be a million.
        let counts = try await control.ask("counts?name=-", for: Counts.self)
        func calls(_ operation: String) -> Int { counts.requests[operation] ?? 0 }
        func lists(_ kind: String) -> Int { counts.lists[kind] ?? 0 }
        return ProviderTraffic(
            create: calls("create"), retrieve: calls("retrieve"), delete: calls("delete"), count: lists("count"),
            tag: lists("tag"), name: lists("name"), account: lists("account"), bytes: counts.bytes)
    }

    /// The calls since `before`.
    func less(_ before: ProviderTraffic) -> ProviderTraffic {
        ProviderTraffic(
            create: self.create - before.create, retrieve: self.retrieve - before.retrieve,
            delete: self.delete - before.delete, count: self.count - before.count, tag: self.tag - before.tag,
            name: self.name - before.name, account: self.account - before.account, bytes: self.bytes - before.bytes)
    }
}
