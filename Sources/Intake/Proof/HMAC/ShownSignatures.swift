// SPDX-License-Identifier: Apache-2.0
// The signatures that a header shows, as one value or as a list such as `t=1700000000,v1=…,v1=…`.

struct ShownSignatures {
    /// The header in which they stand.
    let header: String
    /// Decoded, at least one and `maximumCount` at most.
    let signatures: [[UInt8]]
    /// The list's time; nil when there is none.
    let time: String?

    /// While a secret is changed over, senders show two.
    static let maximumCount = 8
    private static let maximumEntries = 32

    /// Throws where no signature can be read. Of a list only the entries under the configured keys count.
    init(_ terms: HMACTerms, _ headers: Headers) throws(ProofFailure) {
        let (header, value) = try HeaderValue.single(of: terms.headers, headers)
        self.header = header
        if let key = terms.key {
            (self.signatures, self.time) = try Self.list(value, of: header, key, terms)
        } else {
            self.time = nil
            self.signatures = try Self.value(value, of: header, terms).map { [$0] } ?? []
        }
        guard !self.signatures.isEmpty else {
            let key = terms.key.map { " under \($0)" } ?? ""
            throw ProofFailure(
                .malformed,
                "\(header) holds no signature\(key): \(terms.hash.byteCount) bytes in \(terms.encoding.rawValue)")
        }
    }

    private static func value(
        _ value: String, of header: String, _ terms: HMACTerms
    ) throws(ProofFailure) -> [UInt8]? {
        let prefix = terms.prefix ?? ""
        guard value.utf8.starts(with: prefix.utf8) else {
            throw ProofFailure(.malformed, "\(header) must begin with the source's prefix")
        }
        return Self.decoded(value.utf8.dropFirst(prefix.utf8.count), terms)
    }

    /// Reads `key=value` entries between commas or semicolons, with or without blanks. Entries under other keys, and
    /// values that are no signature, are passed over: senders show older schemes beside the one in force. A second time
    /// is refused, because a reader of the first and a reader of the last would disagree.
    private static func list(
        _ text: String, of header: String, _ wanted: String, _ terms: HMACTerms
    ) throws(ProofFailure) -> (signatures: [[UInt8]], time: String?) {
        var signatures: [[UInt8]] = []
        var time: String?
        let entries = text.utf8.split(maxSplits: Self.maximumEntries, omittingEmptySubsequences: true) {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";")
        }
        guard entries.count <= Self.maximumEntries else {
            throw ProofFailure(.malformed, "\(header) holds more than \(Self.maximumEntries) entries")
        }
        for entry in entries {
            let entry = entry.drop(while: HeaderValue.isBlank)
            guard let sign = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let (key, value) = (entry[..<sign], entry[entry.index(after: sign)...])
            if case .key(let name) = terms.timestamp?.place, key.elementsEqual(name.utf8) {
                guard time == nil else { throw ProofFailure(.repeated, "\(header) holds \(name) more than once") }
                time = HeaderValue.trimmed(String(Substring(value)))
            }
            guard key.elementsEqual(wanted.utf8), signatures.count < Self.maximumCount else { continue }
            if let bytes = Self.decoded(HeaderValue.trimmed(String(Substring(value))).utf8[...], terms) {
                signatures.append(bytes)
            }
        }
        return (signatures, time)
    }

    private static func decoded(_ text: Substring.UTF8View, _ terms: HMACTerms) -> [UInt8]? {
        let bytes =
            switch terms.encoding {
            case .hex: ByteText.hexadecimal(text)
            case .base64: ByteText.base64(text, .standard)
            }
        return bytes?.count == terms.hash.byteCount ? bytes : nil
    }
}
