// SPDX-License-Identifier: Apache-2.0
// The reasons why a source cannot be made or changed, in an operator's words.

package import Model

package enum SourceError: Error, Equatable, CustomStringConvertible {
    case slugTaken(String)
    case unknownTenant(TenantID)
    case unknownPreset(String)
    case unknownSource(String)
    /// Its proofs take published keys alone.
    case needsNoSecret(String)
    /// It comes to its tenants without a table.
    case hasNoTable(String)
    case unknownOrganization(String)
    case alreadyMapped(String)
    /// The source belongs to another tenant.
    case belongsTo(TenantID)
    case hasMembers(String)

    package var description: String {
        switch self {
        case .slugTaken(let slug): "a source named \(slug) exists already"
        case .unknownTenant(let tenant): "there is no tenant \(tenant); create it with: dialtone tenant create"
        case .unknownSource(let slug):
            "there is no source \(slug) of this tenant, or of none where no tenant is given; see: dialtone source list"
        case .unknownPreset(let preset):
            "there is no preset \(preset); there are: \(Presets.names.joined(separator: ", ")); or give a configuration"
        case .needsNoSecret(let slug): "the source \(slug) needs no secret: its proofs take the sender's published keys"
        case .hasNoTable(let slug):
            "the source \(slug) has no table: it has one tenant, or its deliveries name it as it is"
        case .unknownOrganization(let name): "the organisation \(name) is not mapped"
        case .alreadyMapped(let name): "the organisation \(name) is mapped already; remove that first"
        case .belongsTo(let tenant): "the source belongs to tenant \(tenant), and so do its organisations"
        case .hasMembers(let name):
            "the organisation \(name) has members, whose users this would leave without a sender"
        }
    }
}
