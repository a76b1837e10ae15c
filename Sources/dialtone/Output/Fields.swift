// SPDX-License-Identifier: Apache-2.0
// `--fields` picks what is printed, in a table as in JSON.

import ArgumentParser
import Foundation
import Model

struct Fields: ParsableArguments {
    @Option(help: "Only these members of the JSON, with commas between; as a table, or with --json as JSON.")
    var fields: String?

    /// The paths that were asked for; nil: all.
    var paths: [[String]]? {
        self.fields.map { text in
            text.split(separator: ",").map { path in
                path.split(separator: ".").map { $0.trimmingCharacters(in: .whitespaces) }
            }
        }
    }

    /// Returns the value at each path of one JSON object, as text.
    static func pick(_ paths: [[String]], of line: some Encodable) throws -> [(name: String, value: JSONValue)] {
        let whole = try JSONValue(parsing: Array(try JSONOutput.data(line)))
        return try paths.map { path in
            var value: JSONValue? = whole
            for name in path {
                guard let members = value.flatMap(Self.members) else { break }
                guard let member = members.first(where: { $0.key == name }) else {
                    let all = members.map(\.key).joined(separator: ", ")
                    throw InvalidValue("--fields", "\(path.joined(separator: ".")) is no member; there are: \(all)")
                }
                value = member.value
            }
            return (path.joined(separator: "."), value ?? .null)
        }
    }

    private static func members(_ value: JSONValue) -> [(key: String, value: JSONValue)]? {
        guard case .object(let members) = value else { return nil }
        return members.map { ($0.key, $0.value) }
    }
}
