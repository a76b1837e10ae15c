// SPDX-License-Identifier: Apache-2.0
// What a source says of one person, in few words: the decision table and the oracle read the same ones.

import Foundation
import Model

@testable import Intake

/// One item of a delivery of its own.
struct Said: Sendable, CustomStringConvertible {
    var user = "u"
    var ofPerson: Word.OfPerson?
    var ofMembership: Word.OfMembership?
    var organization: String?
    var tenant: String?
    /// A minute of the sender's morning; nil: without a time.
    var minute: Int?
    var isByArrival = false
    var isWeak = false
    var isWhole = false
    /// False: the quarantine of the source is full.
    var isKeptUnmapped = true
    var source = WordBed.source
    /// The tenant that the source belongs to.
    var owner: String?
    var delivery = UUID().uuidString

    static func joins(_ organization: String = "o1", _ minute: Int?) -> Said {
        Said(ofMembership: .live, organization: organization, minute: minute)
    }
    static func leaves(_ organization: String = "o1", _ minute: Int?) -> Said {
        Said(ofMembership: .gone, organization: organization, minute: minute)
    }
    static func invited(_ organization: String = "o1", _ minute: Int?) -> Said {
        Said(ofMembership: .invited, organization: organization, minute: minute)
    }
    static func exists(_ minute: Int?) -> Said { Said(ofPerson: .live, minute: minute) }
    static func suspended(_ minute: Int?) -> Said { Said(ofPerson: .suspended, minute: minute) }
    static func deleted(_ minute: Int?) -> Said { Said(ofPerson: .deleted, minute: minute) }
    /// The last item of a complete list. Without an organisation the list is empty.
    static func list(_ organization: String?, _ minute: Int) -> Said {
        Said(ofMembership: organization == nil ? nil : .live, organization: organization, minute: minute, isWhole: true)
    }

    /// The same in an update.
    var weak: Said { self.with { $0.isWeak = true } }
    /// The same by another source of the tenant.
    var elsewhere: Said { self.with { $0.source = WordBed.other } }
    /// The same without a time, where arrival counts.
    var onArrival: Said { self.with { ($0.minute, $0.isByArrival) = (nil, true) } }

    func with(_ change: (inout Said) -> Void) -> Said {
        var other = self
        change(&other)
        return other
    }

    func word(item: Int32 = 0, first: EventID? = nil) throws -> NewWord {
        let time = WriterBed.time(ofMinute: self.minute)
        let tenant = try self.tenant.map { try TenantID($0) }
        let owner = try self.owner.map { try TenantID($0) }
        let word = Word(
            person: try UserID(self.user), ofPerson: self.ofPerson, organization: self.organization,
            ofMembership: self.ofMembership, tenant: tenant,
            moment: self.isByArrival ? .arrival : time.map(Word.Moment.at) ?? .unknown, isWeak: self.isWeak,
            isWhole: self.isWhole)
        return NewWord(
            id: EventID(at: Date()), source: self.source, owner: owner, deliveryID: self.delivery, item: item,
            first: first, receivedAt: Date(), word: word, mappingVersion: 1, isKeptUnmapped: self.isKeptUnmapped)
    }

    var description: String {
        let parts = [
            self.user, self.ofPerson?.rawValue, self.ofMembership?.rawValue, self.organization,
            self.isWeak ? "weak" : nil, self.isWhole ? "whole" : nil,
            self.minute.map { "at \($0)" } ?? "without a time",
        ]
        return parts.compactMap(\.self).joined(separator: " ")
    }
}
