// SPDX-License-Identifier: Apache-2.0
// A file that an argument names, or standard input.

import Foundation
import Model

enum FileArgument {
    /// Bytes at most: a body of any sender fits.
    private static let maximumBytes = 4 << 20

    /// Returns the bytes of a file; `-` is standard input. `option` is the option that names the file.
    static func read(_ path: String, option: String) throws -> [UInt8] {
        let data: Data
        do {
            let input =
                try path == "-"
                ? FileHandle.standardInput : FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            // Nil at the end of the input.
            data = try input.read(upToCount: Self.maximumBytes + 1) ?? Data()
        } catch {
            throw InvalidValue(option, "names \(path), which cannot be read")
        }
        guard data.count <= Self.maximumBytes else {
            throw InvalidValue(option, "names a file of more than \(Self.maximumBytes) bytes")
        }
        return Array(data)
    }
}
