// SPDX-License-Identifier: Apache-2.0
// The provider's bodies, read leniently: dates with and without zones, unknown fields, and errors in any of their
// forms.

import Foundation
import Model

/// `{"data": …, "meta": …}`; fields we do not know are never decoded, because they may be secrets.
struct Answer<Payload: Decodable>: Decodable {
    var data: Payload
    var meta: Meta?

    struct Meta: Decodable {
        var totalPages: Int?
        var totalResults: Int?

        enum CodingKeys: String, CodingKey {
            case totalPages = "total_pages"
            case totalResults = "total_results"
        }
    }
}

/// A credential of any body. Only its id must be there: the vendor's schema promises no field at all, and one odd
/// element must not blind us to the rest of its page.
struct CredentialPayload: Decodable {
    let credential: TelephonyCredential

    private enum Key: String, CodingKey {
        case id, name, resource_id, expired, sip_username, sip_password, created_at, expires_at, updated_at
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func text(_ key: Key) -> String? { try? fields.decode(String.self, forKey: key) }
        func date(_ key: Key) -> Date? { text(key).flatMap(ProviderDate.read) }
        self.credential = TelephonyCredential(
            id: ProviderID(rawValue: try fields.decode(String.self, forKey: .id)), name: text(.name),
            resourceID: text(.resource_id), expired: (try? fields.decode(Bool.self, forKey: .expired)) ?? false,
            sipUsername: text(.sip_username), sipPassword: text(.sip_password).map { Secret($0) },
            createdAt: date(.created_at), expiresAt: date(.expires_at), updatedAt: date(.updated_at))
    }
}

/// "2020-06-18T21:32:38", "2020-06-18T21:32:38.000Z", "2020-06-18 21:32:38.917732Z": one object mixes them.
enum ProviderDate {
    /// A time without a zone is UTC.
    static func read(_ text: String) -> Date? { RFC3339.date(text, assumesUTC: true) }
}

extension ProviderWords {
    /// Reads an error body: an array of errors, an object of messages, nothing, or no JSON at all.
    init(body: Data) {
        self.init()
        guard let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any] else { return }
        if let first = (object["errors"] as? [[String: Any]])?.first {
            let code = first["code"] as? String ?? (first["code"] as? Int).map { "\($0)" }
            self.code = code.map { Self.clean($0, limit: 40) }
            let parts = [first["title"], first["detail"]].compactMap { $0 as? String }
            self.text = parts.isEmpty ? nil : Self.clean(parts.joined(separator: ": "), limit: 300)
        } else if let errors = object["errors"] as? [String: Any] {
            let parts = errors.sorted { $0.key < $1.key }.compactMap { key, value in
                (value as? String).map { "\(key) \($0)" }
            }
            self.text = parts.isEmpty ? nil : Self.clean(parts.joined(separator: "; "), limit: 300)
        }
    }

    private static func clean(_ text: String, limit: Int) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(limit)))
    }
}

/// How long a 429 asks us to wait, between 1 s and 15 min.
enum RateLimitWait {
    static let range = Duration.seconds(1)...Duration.seconds(900)

    /// `header` gives a header's value. The vendor's pages disagree whether x-ratelimit-reset is seconds or an epoch.
    static func read(_ header: (String) -> String?, now: Date) -> Duration {
        let wait: Double
        if let milliseconds = header("retry-after-ms").flatMap(Double.init) {
            wait = milliseconds / 1000
        } else if let value = header("retry-after"),
            let seconds = Double(value) ?? self.date(value).map({ $0.timeIntervalSince(now) })
        {
            wait = seconds
        } else if let reset = header("x-ratelimit-reset").flatMap(Double.init) {
            wait =
                reset > 1e12
                ? reset / 1000 - now.timeIntervalSince1970 : reset > 1e9 ? reset - now.timeIntervalSince1970 : reset
        } else {
            wait = 1
        }
        let seconds = wait.isFinite ? min(max(wait, 1), 900) : 1
        return .milliseconds(Int(seconds * 1000))
    }

    /// RFC 9110 section 5.6.7, the one form senders may generate: "Sun, 06 Nov 1994 08:49:37 GMT".
    private static func date(_ text: String) -> Date? {
        let format = Date.VerbatimFormatStyle(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) GMT
                """,
            locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian))
        return try? format.parseStrategy.parse(text)
    }
}

extension LoginToken {
    /// The bare JWT of a 201, perhaps with white space or quotes around it. The signature is the provider's own
    /// business (HS512, a key we do not have); `exp` says how long it is good, which the vendor's pages do not agree
    /// on.
    init?(body: Data) {
        var text = String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if text.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = String(text.dropFirst().dropLast()) }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        var payload = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        while payload.count % 4 != 0 { payload += "=" }
        struct Claims: Decodable { var exp: Double }
        guard let data = Data(base64Encoded: payload), let claims = try? JSONDecoder().decode(Claims.self, from: data)
        else {
            return nil
        }
        self.init(token: Secret(text), expiresAt: Date(timeIntervalSince1970: claims.exp))
    }
}
