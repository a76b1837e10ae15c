// SPDX-License-Identifier: Apache-2.0
// The user that has the private server's files and runs its programs: ourselves, or another user when we are root.

import Foundation
import Glibc

/// The user that runs the server. PostgreSQL and PgBouncer refuse to run as root.
package struct Owner: Sendable {
    /// Nil when the server runs as ourselves.
    let other: (name: String, uid: uid_t, gid: gid_t)?

    /// Returns ourselves, or `postgres` or `nobody` when we are root.
    package static func current() throws -> Owner {
        guard geteuid() == 0 else { return Owner(other: nil) }
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name) {
                return Owner(other: (name, entry.pointee.pw_uid, entry.pointee.pw_gid))
            }
        }
        throw PrivatePostgresError.noOtherUser
    }

    /// Makes the user the owner of a file or folder.
    package func own(_ path: String) throws {
        guard let other else { return }
        guard chown(path, other.uid, other.gid) == 0 else {
            throw PrivatePostgresError.commandFailed(command: "chown", output: String(cString: strerror(errno)))
        }
    }

    /// Returns whether the folders above a path let every user through to it. A home folder often does not.
    func canReach(_ path: String) -> Bool {
        guard self.other != nil else { return true }
        var parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        while parent.path != "/" {
            var status = stat()
            guard stat(parent.path, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
            parent.deleteLastPathComponent()
        }
        return true
    }

    /// Makes a folder with a short path for the user.
    package func temporaryFolder(prefix: String) throws -> String {
        var template = Array("/tmp/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PrivatePostgresError.commandFailed(command: "mkdtemp", output: String(cString: strerror(errno)))
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try self.own(path)
        return path
    }

    /// Returns the command line that runs a command as this user.
    package func commandLine(_ command: String, _ arguments: [String]) -> [String] {
        guard let other else { return [command] + arguments }
        let change = ["--reuid", "\(other.uid)", "--regid", "\(other.gid)", "--clear-groups", "--"]
        return ["/usr/bin/setpriv"] + change + [command] + arguments
    }

    /// Runs a command to its end as this user and returns its output. Throws with its output when it fails.
    ///
    /// `pg_ctl` leaves a grandchild behind on purpose.
    ///
    /// The wait stands on a thread of its own, and two commands run at a time. Else many servers that start at once
    /// would hold every thread that tasks run on. Not cancellable: the command runs to its end.
    @discardableResult
    func run(_ command: String, _ arguments: [String]) async throws -> String {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-\(UUID().uuidString).log")
            .path
        defer { unlink(log) }
        let line = self.commandLine(command, arguments)
        let status = try await withCheckedThrowingContinuation { ended in
            Self.commands.addOperation {
                ended.resume(with: Result { ChildProcess.end(of: try ChildProcess.start(line, output: log)) })
            }
        }
        let output = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
        guard status == 0 else {
            throw PrivatePostgresError.commandFailed(
                command: URL(fileURLWithPath: command).lastPathComponent, output: String(output.suffix(2000)))
        }
        return output
    }

    private static let commands: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 2
        return queue
    }()
}
