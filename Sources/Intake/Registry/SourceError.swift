// SPDX-License-Identifier: Apache-2.0
// The reasons why a source cannot be made or changed, in an operator's words.

package import Model

package enum SourceError: Error, Equatable, CustomStringConvertible {
    case slugTaken(String)
    case unknownTenant(TenantID)
    case unknownPreset(String)
    case unknownSource(String)

    package var description: String {
        switch self {
        case .slugTaken(let slug): "a source named \(slug) exists already for this tenant"
        case .unknownTenant(let tenant): "there is no tenant \(tenant); create it with: dialtone tenant create"
        case .unknownSource(let slug): "there is no source \(slug) for this tenant; see: dialtone source list"
        case .unknownPreset(let preset): "there is no preset \(preset); there is: standard"
        }
    }
}
