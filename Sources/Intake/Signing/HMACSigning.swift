// SPDX-License-Identifier: Apache-2.0
// Signs with a shared secret in the form that a source's configuration describes: the inverse of `HMACProof`.

import Crypto
import Foundation
import Model

struct HMACSigning: Signing {
    private let terms: HMACTerms
    private let key: Secret<SymmetricKey>

    init(_ terms: HMACTerms, _ secret: Secret<String>) {
        self.terms = terms
        self.key = secret.map { SymmetricKey(data: Data($0.utf8)) }
    }

    var secondsUntilStale: Int64? { self.terms.timestamp?.tolerance }

    func sign(_ draft: DeliveryDraft, at time: Date) throws(InvalidValue) -> SignedDelivery {
        var headers = draft.headers
        let stamp = self.terms.timestamp.map { Self.stamp(time, in: $0.unit) }
        if let header = self.terms.id { headers.append((header, draft.id)) }
        if case .header(let header)? = self.terms.timestamp?.place, let stamp { headers.append((header, stamp)) }
        let signature = self.encoded(self.code(of: try self.content(draft, stamp, headers)))
        headers.append((self.terms.headers[0], self.shown(signature, stamp)))
        return SignedDelivery(headers: headers, body: draft.body)
    }

    private static func stamp(_ time: Date, in unit: SentTime.Unit) -> String {
        "\(Int64((time.timeIntervalSince1970 * Double(unit.perSecond)).rounded(.down)))"
    }

    private func content(
        _ draft: DeliveryDraft, _ stamp: String?, _ headers: [(name: String, value: String)]
    ) throws(InvalidValue) -> [UInt8] {
        var content: [UInt8] = []
        for piece in self.terms.content.pieces {
            switch piece {
            case .text(let bytes): content += bytes
            case .body: content += draft.body
            case .timestamp: content += Array((stamp ?? "").utf8)
            case .id: content += Array(draft.id.utf8)
            case .header(let name):
                guard let header = headers.first(where: { $0.name.lowercased() == name }) else {
                    throw InvalidValue("the header \(name)", "is signed by this sender, and is not given")
                }
                content += Array(header.value.utf8)
            }
        }
        return content
    }

    private func code(of content: [UInt8]) -> [UInt8] {
        switch self.terms.hash {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: content, using: self.key.reveal()))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: content, using: self.key.reveal()))
        }
    }

    private func encoded(_ code: [UInt8]) -> String { self.terms.encoding.text(code) }

    /// The signature's header: the signature behind its prefix, or a list such as `t=1700000000,v1=…`.
    private func shown(_ signature: String, _ stamp: String?) -> String {
        guard let key = self.terms.key else { return (self.terms.prefix ?? "") + signature }
        guard case .key(let name)? = self.terms.timestamp?.place, let stamp else { return "\(key)=\(signature)" }
        return "\(name)=\(stamp),\(key)=\(signature)"
    }
}

extension HMACTerms.Encoding {
    /// Returns bytes as the text that `ByteText` reads.
    func text(_ bytes: [UInt8]) -> String {
        switch self {
        case .hex: bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        case .base64: Data(bytes).base64EncodedString()
        }
    }
}
