// SPDX-License-Identifier: Apache-2.0
// Makes the words of an event, one for each person and organisation that it names.

import Foundation
import Model

extension Reading {
    /// What the elements of one list have in common. It is read once: a long list costs no more than its length.
    struct Shared {
        var user: Result<UserID, Unusable>?
        var organization: Result<(name: String, tenant: TenantID?)?, Unusable>?
        var moment: Result<Word.Moment, Unusable>?
    }

    /// A list that cannot be used is one item that cannot be used. Throws where the delivery becomes too long.
    mutating func readWords(of part: WordPart, into items: inout [MappedItem]) throws(Unusable) {
        var shared = Shared()
        let elements: [JSONView]
        let isSingle: Bool
        do {
            guard try self.holds(part.when) else { return }
            guard let each = part.each else {
                items.append(self.item(of: part, &shared))
                return
            }
            (elements, isSingle) = try self.elements(of: each)
        } catch {
            items.append(.unusable(error))
            return
        }
        guard let each = part.each else { return }
        guard items.count + elements.count <= Mapping.maximumItems else {
            throw Unusable(.tooManyItems, self.pointer(of: each.list))
        }
        let first = items.count
        if elements.isEmpty && each.isOnceIfEmpty {
            items.append(self.item(of: part, &shared, lacksOrganization: true))
        }
        let list = self.eventPlace.appending(each.list.pointer)
        for (number, element) in elements.enumerated() {
            self.elementPlace = isSingle ? list : list.appending("\(number)")
            guard let item = self.item(of: part, each, element, &shared) else { continue }
            if items.count == first || !self.isRepeated(item, after: items.last) { items.append(item) }
        }
        self.element = .nothing
        if part.isWhole { Self.markWhole(&items, from: first) }
    }

    /// With one fixed tenant the organisations of one person say the same.
    private func isRepeated(_ item: MappedItem, after last: MappedItem?) -> Bool {
        guard case .fixed = self.plan.tenants, item.isWord else { return false }
        return item == last
    }

    /// An absent list is an empty one.
    private func elements(
        of each: WordPart.Each
    ) throws(Unusable) -> (elements: [JSONView], isSingle: Bool) {
        guard let list = try self.view(each.list), list.kind != .null else { return ([], false) }
        let place = self.pointer(of: each.list)
        if each.isSingleAllowed && list.kind != .array { return ([list], true) }
        do {
            guard let elements = try list.elements(upTo: Mapping.maximumItems) else {
                throw Unusable(.wrongType, place)
            }
            return (elements, false)
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(.notJSON, place)
        }
    }

    /// Nil for an element that the word is not about.
    private mutating func item(
        of part: WordPart, _ each: WordPart.Each, _ element: JSONView, _ shared: inout Shared
    ) -> MappedItem? {
        do { self.element = try each.elements.find(in: element) } catch {
            return .unusable(Unusable(.notJSON, "\(self.elementPlace)"))
        }
        do {
            guard try self.holds(part.whenElement) else { return nil }
        } catch {
            return .unusable(error)
        }
        return self.item(of: part, &shared)
    }

    /// The mark stands on the last word: on the first it would take all others away. A list of which one element cannot
    /// be used is not complete, or that element's organisation would be taken for one that was left.
    private static func markWhole(_ items: inout [MappedItem], from first: Int) {
        let own = items[first...]
        guard own.allSatisfy(\.isWord), let last = own.indices.last, case .word(var word) = items[last] else { return }
        word.isWhole = true
        items[last] = .word(word)
    }
}
