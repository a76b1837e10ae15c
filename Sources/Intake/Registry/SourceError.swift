// SPDX-License-Identifier: Apache-2.0
// The reasons why a source cannot be made or changed, in an operator's words.

package import Model

package enum SourceError: Error, Equatable, CustomStringConvertible {
    case slugTaken(String)
    case unknownTenant(TenantID)
    case unknownPreset(String)
    case unknownSource(String)
    /// There is one of this name, which belongs to another tenant, or to none: nil.
    case ownedElsewhere(String, by: [TenantID?])
    /// Its proofs take published keys alone.
    case needsNoSecret(String)
    /// It comes to its tenants without a table.
    case hasNoTable(String)
    case unknownOrganization(String)
    /// To another tenant, or to none: nil.
    case alreadyMapped(String, to: TenantID?)
    /// The source belongs to another tenant.
    case belongsTo(TenantID)
    case hasMembers(String)
    /// Statements that may have read the table before go on.
    case stillLeaving(String)
    /// Somebody has mapped it again while it was taken out.
    case mappedAgain(String)
    /// Somebody else has changed the source meanwhile.
    case changedMeanwhile(String)
    /// It has people or events, which are of the other kind.
    case keepsKind(String)
    /// A change of its kind needs a source that rests.
    case mustRest(String)
    /// The new proofs cannot use the secrets that are in force.
    case losesSecrets(String)
    /// No secret of it opens.
    case unreadable(String)
    /// What it would touch stays locked.
    case busy

    package var description: String {
        switch self {
        case .slugTaken(let slug): "a source named \(slug) exists already"
        case .unknownTenant(let tenant): "there is no tenant \(tenant); create it with: dialtone tenant create"
        case .unknownSource(let slug): "there is no source \(slug); see: dialtone source list"
        case .ownedElsewhere(let slug, let owners):
            "there is no source \(slug) of this owner, but one of another: \(Self.ways(to: owners))"
        case .unknownPreset(let preset):
            "there is no preset \(preset); there are: \(Presets.names.joined(separator: ", ")); or give a configuration"
        case .needsNoSecret(let slug): "the source \(slug) needs no secret: its proofs take the sender's published keys"
        case .hasNoTable(let slug):
            "the source \(slug) has no table: it has one tenant, or its deliveries name it as it is"
        case .unknownOrganization(let name): "the organisation \(name) is not mapped"
        case .alreadyMapped(let name, let tenant):
            "the organisation \(name) is \(tenant?.rawValue ?? "ignored") already; first: dialtone source map remove"
        case .belongsTo(let tenant): "the source belongs to tenant \(tenant), and so do its organisations"
        case .hasMembers(let name):
            """
            the organisation \(name) stays mapped: it has members, whose users this would leave without a sender. First \
            its sender must remove them, or in its place: dialtone send --event removed
            """
        case .stillLeaving(let name):
            "the organisation \(name) is leaving, and statements from before still run; run this again to end it"
        case .mappedAgain(let name): "the organisation \(name) was mapped again meanwhile; look, and run this again"
        case .changedMeanwhile(let slug): "somebody has changed the source \(slug) meanwhile; look, and run this again"
        case .keepsKind(let slug):
            "the source \(slug) has people or events, so how it comes to its tenants stays; make another source for that"
        case .mustRest(let slug):
            """
            the source \(slug) may only come to its tenants in another way after it has rested: run dialtone source \
            disable, wait two minutes, and run this again
            """
        case .busy: "others write what this would look at; run this again"
        case .unreadable(let slug): "the source \(slug) cannot be read: no secret of it opens"
        case .losesSecrets(let reason): "the source's secrets do not fit these proofs: \(reason)"
        }
    }

    /// What is to be given or left out, so that a source of one of these owners is found.
    private static func ways(to owners: [TenantID?]) -> String {
        owners.map { $0.map { "give --tenant \($0)" } ?? "leave out --tenant" }.joined(separator: ", or ")
    }
}
