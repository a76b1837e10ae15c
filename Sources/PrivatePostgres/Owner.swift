// SPDX-License-Identifier: Apache-2.0
// Whose files and processes the private server's are: ours, or another user's when we are root.

import Foundation
import Glibc

/// The user that runs the server. PostgreSQL refuses to run as root.
struct Owner {
    /// Nil when it is ourselves.
    let other: (name: String, uid: uid_t, gid: gid_t)?

    static func current() throws -> Owner {
        guard geteuid() == 0 else { return Owner(other: nil) }
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name) {
                return Owner(other: (name, entry.pointee.pw_uid, entry.pointee.pw_gid))
            }
        }
        throw PrivatePostgresError.noOtherUser
    }

    func own(_ path: String) throws {
        guard let other else { return }
        guard chown(path, other.uid, other.gid) == 0 else {
            throw PrivatePostgresError.commandFailed(command: "chown", output: String(cString: strerror(errno)))
        }
        // The folders above must let that user through to its own.
        var parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        while parent.path != "/" {
            var status = stat()
            if stat(parent.path, &status) == 0, status.st_uid == geteuid() || geteuid() == 0, status.st_mode & 0o001 == 0 {
                chmod(parent.path, status.st_mode | 0o011)
            }
            parent.deleteLastPathComponent()
        }
    }

    func temporaryFolder(prefix: String) throws -> String {
        var template = Array("/tmp/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PrivatePostgresError.commandFailed(command: "mkdtemp", output: String(cString: strerror(errno)))
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try self.own(path)
        return path
    }

    /// Runs a command to its end as this user; throws with what it printed when it fails.
    func run(_ command: String, _ arguments: [String]) throws {
        let process = Process()
        if let other {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments =
                ["--reuid", "\(other.uid)", "--regid", "\(other.gid)", "--clear-groups", "--", command] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: command)
            process.arguments = arguments
        }
        // A file, not a pipe: the server inherits it and would keep a pipe open.
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-\(UUID().uuidString).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        try process.run()
        process.waitUntilExit()
        try handle.close()
        guard process.terminationStatus == 0 else {
            let output = String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self)
            throw PrivatePostgresError.commandFailed(
                command: URL(fileURLWithPath: command).lastPathComponent, output: String(output.suffix(2000)))
        }
    }
}
