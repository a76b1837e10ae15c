// SPDX-License-Identifier: Apache-2.0
// Services that a person has logged in to: address, key and tenant by a name, in a file that nobody else may read.

package import Foundation
import Model

/// One service, as `dialtone login` has kept it.
package struct Profile: Codable, Sendable, Equatable {
    package var url: String
    package var key: String
    package var tenant: String?

    package init(url: String, key: String, tenant: String?) {
        self.url = url
        self.key = key
        self.tenant = tenant
    }
}

/// The file `$XDG_CONFIG_HOME/dialtone/profiles.json`, else `~/.config/dialtone/profiles.json`.
package struct Profiles: Sendable {
    package static let usual = "default"

    package let file: URL

    /// Nil where the environment names no home.
    package init?(environment: [String: String]) {
        let base: String
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            base = folder
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            base = home + "/.config"
        } else {
            return nil
        }
        self.file = URL(fileURLWithPath: base).appendingPathComponent("dialtone/profiles.json")
    }

    /// Returns all profiles by their names. Throws when the file is there and others may read it, or it cannot be read.
    package func all() throws -> [String: Profile] {
        guard FileManager.default.fileExists(atPath: self.file.path) else { return [:] }
        let attributes = try FileManager.default.attributesOfItem(atPath: self.file.path)
        if let mode = attributes[.posixPermissions] as? Int, mode & 0o077 != 0 {
            throw InvalidValue(self.file.path, "holds keys and may be read by others: chmod 600 it")
        }
        do {
            return try JSONDecoder().decode([String: Profile].self, from: try Data(contentsOf: self.file))
        } catch {
            throw InvalidValue(self.file.path, "cannot be read; delete it and log in again")
        }
    }

    package func profile(_ name: String) throws -> Profile? { try self.all()[name] }

    /// Keeps a profile, or forgets it when it is nil. The file is written whole and then put in place, mode 0600.
    package func keep(_ profile: Profile?, as name: String) throws {
        var all = try self.all()
        all[name] = profile
        let folder = self.file.deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(all)
        let fresh = folder.appendingPathComponent("profiles.\(UUID().uuidString).json")
        guard
            FileManager.default.createFile(
                atPath: fresh.path, contents: data, attributes: [.posixPermissions: 0o600])
        else { throw InvalidValue(folder.path, "cannot be written") }
        _ = try? FileManager.default.removeItem(at: self.file)
        try FileManager.default.moveItem(at: fresh, to: self.file)
    }
}
