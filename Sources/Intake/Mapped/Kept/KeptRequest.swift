// SPDX-License-Identifier: Apache-2.0
// What is kept of a request of which something could not be used: enough to read it again, and none of its secrets.

import Foundation
import Model
import Vault

/// It is sealed as JSON. A body that is no text stands in base64.
struct KeptRequest: Codable, Sendable, Equatable {
    struct Header: Codable, Sendable, Equatable {
        let name: String
        let values: [String]
    }

    /// The delivery's id, where the proof covered one.
    let provenID: String?
    /// Those that the mapping reads. No header that proves the sender is among them.
    let headers: [Header]
    private let text: String?
    private let bytes: Data?

    /// Nil: nothing of the body may be kept.
    init?(_ request: ProvenRequest, of source: MappedSource) {
        guard let body = source.mapping.keeping.kept(of: request.body) else { return nil }
        self.provenID = request.provenID
        self.headers = source.compiled.keptHeaders.sorted().compactMap { name in
            let values = request.headers(name)
            return values.isEmpty ? nil : Header(name: name, values: values)
        }
        self.text = String(validating: body, as: UTF8.self)
        self.bytes = self.text == nil ? Data(body) : nil
    }

    /// Reads what `sealed(by:for:of:_:)` has written.
    init(_ text: Secret<String>) throws {
        self = try JSONDecoder().decode(KeptRequest.self, from: Data(text.reveal().utf8))
    }

    var body: [UInt8] { self.text.map { Array($0.utf8) } ?? self.bytes.map(Array.init) ?? [] }

    /// Returns the request as it is read again. A time is ahead or not as of `now`.
    func request(receivedAt: Date, now: Date) -> ProvenRequest {
        let values = Dictionary(self.headers.map { ($0.name, $0.values) }, uniquingKeysWith: +)
        return ProvenRequest(
            headers: { values[$0] ?? [] }, body: self.body, receivedAt: receivedAt, provenID: self.provenID,
            readAt: now)
    }

    func sealed(by vault: Vault, for body: EventID, of source: SourceID, _ scope: String) async throws -> [UInt8] {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        return try await vault.seal(Secret(text), Self.place(body, of: source, scope))
    }

    /// What a body is sealed for: the first row of its request, wherever it stands.
    static func place(_ body: EventID, of source: SourceID, _ scope: String) -> SealedBinding {
        SealedBinding(
            tenant: scope, table: "quarantine", column: "sealed", row: body.rawValue.lowercase,
            user: source.rawValue.lowercase, generation: 0)
    }
}
