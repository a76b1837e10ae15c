// SPDX-License-Identifier: Apache-2.0
// Makes a mapping of a configuration's text, and reads bodies by it.

import Foundation
import Model

@testable import Intake

enum MappingBed {
    static let now = Date(timeIntervalSince1970: 1_795_435_200)

    /// The members of a configuration, without its braces and its version.
    static func mapping(
        _ members: String, tenants: TenantChoice? = .table, keepsPersonal: Bool = false
    ) throws -> Mapping {
        try Mapping(
            SourceConfiguration(Array(#"{"grammar":1,\#(members)}"#.utf8)), tenants: tenants,
            keepsPersonal: keepsPersonal)
    }

    static func request(
        _ body: String, headers: [String: [String]] = [:], provenID: String? = nil
    ) -> ProvenRequest {
        ProvenRequest(
            headers: { headers[$0] ?? [] }, body: Array(body.utf8), receivedAt: Self.now, provenID: provenID)
    }

    /// The items of all deliveries of a body.
    static func items(_ members: String, _ body: String, tenants: TenantChoice? = .table) throws -> [MappedItem] {
        try Self.mapping(members, tenants: tenants).read(Self.request(body)).deliveries.flatMap(\.items)
    }
}

extension MappedItem {
    var unusable: Unusable? { if case .unusable(let unusable) = self { unusable } else { nil } }
}
