// SPDX-License-Identifier: Apache-2.0
// Makes the id of a delivery: the sender's own, one of several values, or the hash of what was sent.

import Crypto
import Foundation
import Model

extension Reading {
    /// Bytes of an id at most, and of its beginning where it is longer.
    private static let maximumBytes = 255
    private static let keptBytes = 180

    /// Returns the id. An event that has none is known by its hash. Throws where it has one that is not certain.
    mutating func deliveryID(_ value: Value?) throws(Unusable) -> String {
        self.key = ""
        guard let value, let id = try self.pick(value), !id.isEmpty else { return self.hashOfEvent() }
        guard VisibleText.isVisible(id) else { throw Unusable(.badText, self.placeOfPicked) }
        return Self.shortened(id)
    }

    /// Returns an id of at most 255 bytes: a longer one keeps 180 bytes to read, an ellipsis, and its SHA-256.
    static func shortened(_ id: String) -> String {
        guard id.utf8.count > Self.maximumBytes else { return id }
        return Shortened.prefix(of: id, bytes: Self.keptBytes) + "…" + Self.hexadecimal(of: Array(id.utf8)[...])
    }

    /// Returns the parts as a JSON array in their order. Nil when a part that it needs is missing, or all are.
    mutating func composite(_ parts: [Value.Part]) throws(Unusable) -> String? {
        var texts: [String] = []
        var isEmpty = true
        for part in parts {
            if let text = try self.pick(part.value) {
                isEmpty = false
                texts.append(JSONText.visible(JSONText.quoted(text)))
            } else if part.isRequired {
                return nil
            } else if part.isArrival && self.isTaking {
                texts.append(JSONText.quoted(RFC3339.text(self.request.receivedAt)))
            } else {
                texts.append("null")
            }
        }
        return isEmpty ? nil : "[\(texts.joined(separator: ","))]"
    }

    /// "sha256:" and the hash of the event's bytes as they came.
    func hashOfEvent() -> String { "sha256:" + Self.hexadecimal(of: self.eventBytes) }

    /// The SHA-256 of these bytes.
    static func hexadecimal(of bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in SHA256.hash(data: bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
