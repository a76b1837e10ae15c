// SPDX-License-Identifier: Apache-2.0
// Picks the text that a value of the grammar stands for in one event.

import Foundation
import Model

extension Reading {
    /// Returns the text; nil when there is none. A JSON null is none.
    mutating func pick(_ value: Value) throws(Unusable) -> String? {
        self.spot = .nowhere
        switch value {
        case .place(let place):
            guard let view = try self.view(place) else { return nil }
            return try self.text(view, place, within: place)
        case .header(let header): return try self.text(header)
        case .provenID:
            let id = self.request.provenID
            if let id, self.isTraced { self.note(self.key, place: "the proof", TraceStep.shown(id)) }
            return id
        case .fixed(let text):
            if self.isTraced { self.note(self.key, place: nil, TraceStep.shown(text)) }
            return text
        case .first(let values): return try self.first(of: values)
        case .joined(let values):
            var texts: [String] = []
            for value in values { if let text = try self.pick(value), !text.isEmpty { texts.append(text) } }
            return texts.isEmpty ? nil : texts.joined(separator: " ")
        case .find(let find):
            let scope = value.isOfElement ? .element : find.list.scope
            let text = try self.remembered(find.number, scope) { (reading) throws(Unusable) in
                try reading.find(find)
            }
            self.spot = .place(find.list)
            return text
        case .held(let held):
            let text = try self.remembered(held.number, held.place.scope) { (reading) throws(Unusable) in
                try reading.held(held)
            }
            self.spot = .place(held.place)
            return text
        case .composite(let parts): return try self.composite(parts)
        case .hash: return self.hashOfEvent()
        }
    }

    /// An empty text is passed over while others may follow: libraries write it for what was never set.
    private mutating func first(of values: [Value]) throws(Unusable) -> String? {
        var empty: String?
        for value in values {
            guard let text = try self.pick(value) else { continue }
            if !text.isEmpty { return text }
            empty = text
        }
        return empty
    }

    /// Searches once for all elements of a list, unless each element has a text of its own.
    private mutating func remembered(
        _ number: Int, _ scope: Place.Scope, _ search: (inout Reading) throws(Unusable) -> String?
    ) throws(Unusable) -> String? {
        guard scope == .event || scope == .request else { return try search(&self) }
        let known = scope == .event ? self.rememberedOfEvent.texts[number] : self.rememberedOfRequest.texts[number]
        if let known { return try known.get() }
        let found = self.result(search)
        if scope == .event {
            self.rememberedOfEvent.texts[number] = found
        } else {
            self.rememberedOfRequest.texts[number] = found
        }
        return try found.get()
    }

    mutating func result<Success>(
        _ read: (inout Reading) throws(Unusable) -> Success
    ) -> Result<Success, Unusable> {
        do { return .success(try read(&self)) } catch { return .failure(error) }
    }

    // MARK: - Members

    /// Bytes of a text that is picked or compared, as the sender wrote it. A longer one is decoded for nothing.
    static let maximumText = 4096

    func view(_ place: Place) throws(Unusable) -> JSONView? {
        do {
            switch place.scope {
            case .event: return try self.event.value(place.number)
            case .element: return try self.element.value(place.number)
            case .request: return try self.whole.value(place.number)
            case .inner: return nil
            }
        } catch {
            throw Unusable(.repeatedKey, self.pointer(of: place))
        }
    }

    /// Returns where a place is, from the body's root.
    func pointer(of place: Place) -> String {
        switch place.scope {
        case .event: "\(self.eventPlace)\(place.pointer)"
        case .element: "\(self.elementPlace)\(place.pointer)"
        case .request, .inner: "\(place.pointer)"
        }
    }

    /// `outer` is the place by which the body itself is read: the same place, or that of the list or text around it.
    mutating func text(_ view: JSONView, _ place: Place, within outer: Place) throws(Unusable) -> String? {
        guard view.kind == .object || view.kind == .array || view.raw.count <= Self.maximumText else {
            throw Unusable(.tooLong, self.pointer(of: outer))
        }
        let scalar: JSONScalar
        do { scalar = try view.scalar() } catch { throw Unusable(.badText, self.pointer(of: outer)) }
        let text: String
        switch scalar {
        case .null: return nil
        case .text(let string):
            guard let prefix = place.prefix else {
                text = string
                break
            }
            guard string.utf8.starts(with: prefix.utf8) else { return nil }
            text = String(decoding: string.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        case .number(let number) where place.kinds == .textOrNumber: text = number
        case .number(let number) where place.kinds == .textOrInteger && Self.isInteger(number): text = number
        default: throw Unusable(.wrongType, self.pointer(of: outer))
        }
        self.spot = .place(outer)
        if self.isTraced {
            self.note(self.key, place: self.pointer(of: outer), place.isSecret ? .secret : TraceStep.shown(text))
        }
        return text
    }

    /// An integer has one text. `1.0` and `1e3` have others too.
    private static func isInteger(_ number: String) -> Bool {
        number != "-0" && number.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    }

    // MARK: - Headers

    private mutating func text(_ header: Value.Header) throws(Unusable) -> String? {
        let values = self.request.headers(header.name)
        guard let value = values.first else { return nil }
        guard values.count == 1 else { throw Unusable(.repeatedHeader, "header \(header.name)") }
        var text = value
        if header.isPercentEncoded {
            guard let decoded = value.removingPercentEncoding else {
                throw Unusable(.badEncoding, "header \(header.name)")
            }
            // As in a body's texts: the database stores no NUL.
            guard !decoded.utf8.contains(0) else { throw Unusable(.badText, "header \(header.name)") }
            text = decoded
        }
        self.spot = .header(header.name)
        if self.isTraced { self.note(self.key, place: "header \(header.name)", TraceStep.shown(text)) }
        return text
    }

    // MARK: - Values inside values

    private mutating func find(_ find: Value.Find) throws(Unusable) -> String? {
        guard let list = try self.view(find.list), list.kind != .null else { return nil }
        do {
            guard let elements = try list.elements(upTo: Mapping.maximumItems) else {
                throw Unusable(.wrongType, self.pointer(of: find.list))
            }
            guard elements.count <= Mapping.maximumItems else {
                throw Unusable(.tooManyItems, self.pointer(of: find.list))
            }
            let same = try self.same(find.fits)
            for element in elements where element.kind == .object {
                let found = try find.elements.find(in: element)
                guard let member = try found.value(find.whereAt), Self.fits(member, find.fits, same) else { continue }
                guard let taken = try found.value(find.take.number) else { return nil }
                return try self.text(taken, find.take, within: find.list)
            }
            return nil
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(.badText, self.pointer(of: find.list))
        }
    }

    private mutating func same(_ fits: Value.Fits) throws(Unusable) -> JSONScalar? {
        guard case .sameAs(let place) = fits else { return nil }
        return try self.scalar(place)
    }

    private static func fits(_ member: JSONView, _ fits: Value.Fits, _ same: JSONScalar?) -> Bool {
        switch fits {
        case .equals(let wanted): Self.isEqual(member, wanted)
        case .sameAs: same.map { Self.isEqual(member, $0) } ?? false
        }
    }

    private mutating func held(_ held: Value.Held) throws(Unusable) -> String? {
        guard let view = try self.view(held.place), view.kind != .null else { return nil }
        do {
            let found: JSONFound
            if view.kind == .object {
                found = try held.inner.find(in: view)
            } else {
                guard let text = try view.string() else { throw Unusable(.wrongType, self.pointer(of: held.place)) }
                guard let json = held.isBase64 ? Self.base64(text.utf8) : Array(text.utf8) else {
                    throw Unusable(.badEncoding, self.pointer(of: held.place))
                }
                found = try held.inner.find(in: json)
            }
            guard let taken = try found.value(held.take.number) else { return nil }
            return try self.text(taken, held.take, within: held.place)
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(.badEncoding, self.pointer(of: held.place))
        }
    }
}
