// SPDX-License-Identifier: Apache-2.0
// A credential as the provider keeps it, and as it shows it.

import Foundation

/// What the provider holds. The tag is kept and can be filtered by, but is never shown.
struct SimulatedCredential: Codable, Sendable {
    var id: String
    var connectionID: String
    var name: String
    var tag: String?
    var sipUsername: String
    var sipPassword: String
    var createdAt: Date
    var updatedAt: Date
    var expiresAt: Date
    /// Invisible in lists until then (a fault).
    var listedFrom: Date?

    func isExpired(_ now: Date) -> Bool { self.expiresAt <= now }
    var resourceID: String { "connection:\(self.connectionID)" }

    /// The response object: no tag, no connection_id, and dates in two forms, as the vendor's own example has them.
    func json(now: Date) -> String {
        """
        {"id":"\(self.id)","record_type":"credential","name":\(JSONText.quoted(self.name)),\
        "resource_id":"\(self.resourceID)","expired":\(self.isExpired(now)),"sip_username":"\(self.sipUsername)",\
        "sip_password":"\(self.sipPassword)","created_at":"\(ISOText.plain(self.createdAt))",\
        "expires_at":"\(ISOText.plain(self.expiresAt))","updated_at":"\(ISOText.plain(self.updatedAt)).000Z",\
        "user_id":"5a1e8f1c-0f5c-4a6e-9a57-1f6b5a3d2c10"}
        """
    }
}

enum JSONText {
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

enum ISOText {
    /// "2020-06-18T21:32:38": UTC, without saying so.
    static func plain(_ date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = self.civil(days)
        return "\(self.pad(year, 4))-\(self.pad(month))-\(self.pad(day))"
            + "T\(self.pad(rest / 3600)):\(self.pad(rest / 60 % 60)):\(self.pad(rest % 60))"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Year, month and day of a count of days since 1970-01-01, Gregorian.
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }
}
