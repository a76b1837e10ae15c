// SPDX-License-Identifier: Apache-2.0
// Asks whether the conditions of a rule hold. A value that cannot be decoded equals nothing.

import Model

extension Reading {
    func holds(_ conditions: [Condition]) throws(Unusable) -> Bool {
        for condition in conditions where try !self.holds(condition) { return false }
        return true
    }

    /// The conditions that choose a variant: they ask for headers only.
    static func holds(_ conditions: [Condition], headers: (String) -> [String]) -> Bool {
        conditions.allSatisfy { Self.holds($0, headers: headers) }
    }

    private static func holds(_ condition: Condition, headers: (String) -> [String]) -> Bool {
        switch condition {
        case .place: false
        case .not(let inner): !Self.holds(inner, headers: headers)
        case .header(let name, let test): Self.holds(test, header: headers(name), same: nil)
        }
    }

    private func holds(_ condition: Condition) throws(Unusable) -> Bool {
        switch condition {
        case .not(let inner): return try !self.holds(inner)
        case .place(let place, let test): return try self.holds(test, of: try self.view(place))
        case .header(let name, let test):
            var same: JSONScalar?
            if case .sameAs(let place) = test { same = try self.scalar(place) }
            return Self.holds(test, header: self.request.headers(name), same: same)
        }
    }

    private func holds(_ test: Condition.Test, of view: JSONView?) throws(Unusable) -> Bool {
        switch test {
        case .exists(let wanted): return (view != nil && view?.kind != .null) == wanted
        case .isEmpty(let wanted): return (view?.isEmpty ?? true) == wanted
        case .oneOf(let scalars):
            guard let view else { return false }
            return scalars.contains { Self.isEqual(view, $0) }
        case .prefix(let prefix):
            guard let view, view.raw.count <= Self.maximumText, let text = try? view.string() else { return false }
            return text.utf8.starts(with: prefix.utf8)
        case .sameAs(let place):
            guard let other = try self.scalar(place) else { return view == nil || view?.kind == .null }
            return view.map { Self.isEqual($0, other) } ?? false
        }
    }

    /// A header that is there more than once equals nothing: it is not certain which one another program would take.
    private static func holds(_ test: Condition.Test, header values: [String], same: JSONScalar?) -> Bool {
        let value = values.count == 1 ? values.first : nil
        switch test {
        case .exists(let wanted): return !values.isEmpty == wanted
        case .isEmpty(let wanted): return (value ?? "").isEmpty == wanted
        case .oneOf(let scalars): return value.map { scalars.contains(.text($0)) } ?? false
        case .prefix(let prefix): return value?.lowercased().hasPrefix(prefix.lowercased()) ?? false
        case .sameAs: return value != nil && same == value.map(JSONScalar.text)
        }
    }

    /// Returns what stands at a place; nil for a place that is not there, is null, holds others, or is too long.
    func scalar(_ place: Place) throws(Unusable) -> JSONScalar? {
        guard let view = try self.view(place), view.raw.count <= Self.maximumText, let scalar = try? view.scalar()
        else {
            return nil
        }
        switch scalar {
        case .null, .object, .array: return nil
        default: return scalar
        }
    }

    static func isEqual(_ view: JSONView, _ wanted: JSONScalar) -> Bool {
        if case .text(let text) = wanted { return view.isText(text) }
        return view.kind == .other && (try? view.scalar()) == wanted
    }
}
