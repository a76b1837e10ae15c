// SPDX-License-Identifier: Apache-2.0
// A file that says which organisation is which tenant, for `dialtone source map add --file`.

import Model

/// Each line has the sender's id of an organisation, a blank or a comma, and the tenant. `-` for a tenant means that the
/// organisation is ignored. An empty line, and one that begins with `#`, says nothing.
struct OrganizationFile {
    struct Entry: Equatable {
        let line: Int
        let organization: String
        /// Nil: what is said of the organisation is ignored.
        let target: TenantID?
    }

    let entries: [Entry]

    /// Some editors and spreadsheets begin a file with it. It would be a part of the first name.
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Throws `InvalidValue` with the number of the first line that cannot be read.
    init(_ bytes: [UInt8]) throws(InvalidValue) {
        let marked = bytes.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        guard let text = String(validating: bytes.dropFirst(marked), as: UTF8.self) else {
            throw InvalidValue("--file", "is no UTF-8 text")
        }
        var entries: [Entry] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split { $0 == "," || $0.isWhitespace }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 2 else {
                throw InvalidValue("--file", "line \(number + 1) must have an organisation and a tenant")
            }
            entries.append(
                Entry(line: number + 1, organization: first, target: try Self.target(words[1], number + 1)))
        }
        self.entries = entries
    }

    private static func target(_ word: String, _ line: Int) throws(InvalidValue) -> TenantID? {
        guard word != "-" else { return nil }
        do { return try TenantID(word) } catch { throw InvalidValue("--file", "line \(line): \(error)") }
    }
}
