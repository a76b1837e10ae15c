// SPDX-License-Identifier: Apache-2.0
// A small answer, however it leaves: through the router or straight from a connection's event loop.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [(String, String)]
    var body: String

    /// What every answer carries.
    static func fieldsOfAll(requestID: String) -> [(String, String)] {
        [("x-request-id", requestID), ("x-content-type-options", "nosniff")]
    }

    /// For the router.
    var response: Response {
        var headers = HTTPFields()
        for (name, value) in self.fields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: .init(integerLiteral: self.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: self.body)))
    }
}

/// The Date field (RFC 9110 section 6.6.1), made once a second.
final class DateField: Sendable {
    private let last = Mutex<(second: Int, text: String)>((0, ""))

    func text(_ now: Date) -> String {
        let second = Int(now.timeIntervalSince1970)
        return self.last.withLock { last in
            if last.second != second { last = (second, Self.format(second)) }
            return last.text
        }
    }

    /// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func format(_ second: Int) -> String {
        Date(timeIntervalSince1970: TimeInterval(second)).formatted(
            Date.VerbatimFormatStyle(
                format: """
                    \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .padded(4)) \
                    \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                    \(second: .twoDigits) GMT
                    """,
                locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }
}

enum JSONText {
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20: quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
