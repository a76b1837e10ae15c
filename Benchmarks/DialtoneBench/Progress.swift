// SPDX-License-Identifier: Apache-2.0
// Lines for the reader who waits: standard error, because standard output is the JSON.

import Foundation

enum Progress {
    static func tell(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
