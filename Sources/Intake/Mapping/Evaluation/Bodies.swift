// SPDX-License-Identifier: Apache-2.0
// Takes a body apart: the claims of a token, the parts of a list, the lines of a stream.

import Foundation
import Model

extension Reading {
    /// One event of a request that holds several.
    struct Part {
        enum Content {
            case view(JSONView)
            case line([UInt8])
        }

        let content: Content
        let place: JSONPointer
        let bytes: ArraySlice<UInt8>
    }

    /// Returns the JSON text that is read.
    mutating func body() throws(Unusable) -> [UInt8] {
        guard case .token(let pointer) = self.plan.body else { return self.request.body }
        if let claims = self.request.claims { return claims }
        let token = try Self.token(in: self.request.body, at: pointer)
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let claims = Self.base64(parts[1]) else { throw Unusable(.badEncoding, "\(pointer)") }
        self.eventBytes = claims[...]
        return claims
    }

    private static func token(in body: [UInt8], at pointer: JSONPointer) throws(Unusable) -> [UInt8] {
        if pointer.steps.isEmpty {
            return body.filter { $0 > 0x20 }
        }
        var places = JSONPlaces()
        let number = places.add(pointer)
        do {
            guard let token = try places.find(in: body).value(number)?.string() else {
                throw Unusable(.missing, "\(pointer)")
            }
            return Array(token.utf8)
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(.notJSON)
        }
    }

    /// Takes both alphabets of RFC 4648, with or without padding. Nil for another text.
    static func base64(_ text: some Collection<UInt8>) -> [UInt8]? {
        var letters = text.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while letters.count % 4 != 0 { letters.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(letters)).map(Array.init)
    }

    /// Returns the events of a request that holds several. An object may stand for a list of one, and lines for a list,
    /// where the configuration says so: the content type is what somebody typed, so the body decides.
    mutating func parts(of body: [UInt8], _ split: Plan.Split) throws(Unusable) -> [Part] {
        do {
            self.whole = try self.plan.requestPlaces.find(in: body)
        } catch {
            guard split.isLinesAllowed, let lines = try Self.lines(of: body) else { throw Unusable(.notJSON) }
            return lines
        }
        let place = "\(split.pointer)"
        let list: JSONView?
        do { list = try self.whole.value(split.number) } catch { throw Unusable(.repeatedKey, place) }
        guard let list else { throw Unusable(.missing, place) }
        if split.isSingleAllowed && list.kind == .object {
            return [Part(content: .view(list), place: split.pointer, bytes: list.raw)]
        }
        let elements: [JSONView]?
        do { elements = try list.elements(upTo: Mapping.maximumItems) } catch { throw Unusable(.notJSON, place) }
        guard let elements else { throw Unusable(.wrongType, place) }
        guard elements.count <= Mapping.maximumItems else { throw Unusable(.tooManyItems, place) }
        return elements.enumerated().map { number, element in
            Part(content: .view(element), place: split.pointer.appending("\(number)"), bytes: element.raw)
        }
    }

    /// Nil for a body of one line: it is no stream, only broken.
    private static func lines(of body: [UInt8]) throws(Unusable) -> [Part]? {
        let lines = body.split(maxSplits: Mapping.maximumItems + 1) { $0 == 0x0A || $0 == 0x0D }
            .filter { line in !line.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
        guard lines.count > 1 else { return nil }
        guard lines.count <= Mapping.maximumItems else { throw Unusable(.tooManyItems) }
        return lines.enumerated().map { number, line in
            Part(content: .line(Array(line)), place: JSONPointer(steps: ["\(number)"]), bytes: line)
        }
    }
}
