// SPDX-License-Identifier: Apache-2.0
// A file that holds one secret: its text, and whether others than its owner may open it.

import Foundation
import Glibc

struct SecretFile: Sendable {
    let path: String

    /// Returns the secret without what surrounds it; nil when the file cannot be read as UTF-8.
    func read() -> String? {
        (try? String(contentsOfFile: self.path, encoding: .utf8)).map { SettingText.cleaned($0) }
    }

    /// The most bytes that a secret's file may have when it is read again.
    private static let maximumSize = 1 << 16

    /// Returns the secret as `read` does, and never waits for another process; nil also for what is no regular file.
    ///
    /// The path may lead elsewhere than at the start. To open a named pipe without O_NONBLOCK waits for its writer
    /// (fifo(7)).
    func readAgain() -> String? {
        let descriptor = open(self.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // A pipe has no place to seek to (lseek(2)), and a folder cannot be read.
        guard lseek(descriptor, 0, SEEK_SET) == 0,
            let bytes = try? file.read(upToCount: Self.maximumSize + 1), bytes.count <= Self.maximumSize
        else { return nil }
        return String(bytes: bytes, encoding: .utf8).map { SettingText.cleaned($0) }
    }

    /// Whether it can be read again without waiting. A named pipe gives its text once, and blocks who opens it later.
    var isRegular: Bool { self.attributes?[.type] as? FileAttributeType == .typeRegular }

    /// The file's mode, such as `0644`, when its group or others may open it; else nil.
    ///
    /// Mounted secrets are left out. Their modes are the runtime's, and only this container or unit sees them.
    var openMode: String? {
        guard !["/run/secrets/", "/run/credentials/"].contains(where: { self.path.hasPrefix($0) }) else { return nil }
        guard let mode = (self.attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 != 0 else {
            return nil
        }
        return "0" + String(mode & 0o777, radix: 8)
    }

    /// A mounted secret may be a link, whose own attributes say nothing.
    private var attributes: [FileAttributeKey: Any]? {
        let target = URL(fileURLWithPath: self.path).resolvingSymlinksInPath().path
        return try? FileManager.default.attributesOfItem(atPath: target)
    }
}
