// SPDX-License-Identifier: Apache-2.0
// A file that an argument names, or standard input.

import Foundation
import Model

enum FileArgument {
    /// Bytes at most: a body of any sender fits.
    private static let maximumBytes = 4 << 20

    /// Returns the bytes of a file; `-` is standard input. `option` is the option that names the file.
    static func read(_ path: String, option: String) throws -> [UInt8] {
        let input = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let data = try? input?.read(upToCount: Self.maximumBytes + 1) else {
            // An empty file has nothing to read.
            guard input != nil else { throw InvalidValue(option, "names \(path), which cannot be read") }
            return []
        }
        guard data.count <= Self.maximumBytes else {
            throw InvalidValue(option, "names a file of more than \(Self.maximumBytes) bytes")
        }
        return Array(data)
    }
}
