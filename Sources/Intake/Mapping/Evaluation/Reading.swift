// SPDX-License-Identifier: Apache-2.0
// Reads one request by a plan: its body, its deliveries, and the words of each.

import Crypto
import Foundation
import Model

/// The state of one reading: the event and the element that are being read, and where they stand.
struct Reading {
    let plan: Plan
    let request: ProvenRequest
    let keepsPersonal: Bool
    /// Whether somebody asks for steps. Callers ask it first where a step costs something.
    let isTraced: Bool
    private(set) var steps: [TraceStep] = []

    var whole = JSONFound.nothing
    var event = JSONFound.nothing
    var element = JSONFound.nothing
    /// The bytes that the event's hash is made of, when there is no id.
    var eventBytes: ArraySlice<UInt8>
    /// From the body's root.
    var eventPlace = JSONPointer(steps: [])
    var elementPlace = JSONPointer(steps: [])
    var eventNumber = 0
    /// What was picked once of the event, or of the whole request, and must not be looked for again in each element.
    var rememberedOfEvent = Memory()
    var rememberedOfRequest = Memory()
    /// Whether the event takes something away and gives nothing.
    var isTaking = false
    /// The configuration's key whose value is being picked.
    var key = ""
    /// Where the text stood that was picked last.
    var spot = Spot.nowhere

    init(_ plan: Plan, _ request: ProvenRequest, keepsPersonal: Bool, isTraced: Bool) {
        self.plan = plan
        self.request = request
        self.keepsPersonal = keepsPersonal
        self.isTraced = isTraced
        self.eventBytes = request.body[...]
    }

    mutating func run() -> MappedRequest {
        do throws(Unusable) {
            guard self.request.body.count <= Mapping.maximumBytes else { throw Unusable(.tooLarge) }
            let body = try self.body()
            guard let split = self.plan.split else { return try self.single(body) }
            return try self.several(body, split)
        } catch {
            return MappedRequest(deliveries: [self.delivery([.unusable(error)], id: self.plan.deliveryID)])
        }
    }

    private mutating func single(_ body: [UInt8]) throws(Unusable) -> MappedRequest {
        do { self.event = try self.plan.eventPlaces.find(in: body) } catch {
            guard case .optionalJSON = self.plan.body else { throw Unusable(.notJSON) }
        }
        if let root = self.event.root, root.kind != .object {
            self.event = .nothing
            guard case .optionalJSON = self.plan.body else { throw Unusable(.wrongType) }
        }
        let (delivery, answer) = self.readEvent()
        return MappedRequest(deliveries: [delivery], answer: answer)
    }

    private mutating func several(_ body: [UInt8], _ split: Plan.Split) throws(Unusable) -> MappedRequest {
        var mapped = MappedRequest(deliveries: [])
        for (number, part) in try self.parts(of: body, split).enumerated() {
            self.eventNumber = number
            self.eventPlace = part.place
            self.eventBytes = part.bytes
            self.event = .nothing
            self.forget()
            let (delivery, answer) = self.readPart(part)
            mapped.deliveries.append(delivery)
            mapped.answer = mapped.answer ?? answer
        }
        return mapped
    }

    private mutating func readPart(_ part: Part) -> (MappedDelivery, SenderAnswer?) {
        do throws(Unusable) {
            switch part.content {
            case .view(let view):
                guard view.kind == .object else { throw Unusable(.wrongType, "\(part.place)") }
                do { self.event = try self.plan.eventPlaces.find(in: view) } catch {
                    throw Unusable(.notJSON, "\(part.place)")
                }
            case .line(let line):
                do { self.event = try self.plan.eventPlaces.find(in: line) } catch {
                    throw Unusable(.notJSON, "\(part.place)")
                }
                guard self.event.root?.kind == .object else {
                    self.event = .nothing
                    throw Unusable(.wrongType, "\(part.place)")
                }
            }
            return self.readEvent()
        } catch {
            return (self.delivery([.unusable(error)], id: self.plan.deliveryID), nil)
        }
    }

    // MARK: - One event

    /// Nothing of one event counts for the next one.
    private mutating func forget() {
        self.isTaking = false
        self.rememberedOfEvent = Memory()
    }

    private mutating func readEvent() -> (MappedDelivery, SenderAnswer?) {
        do throws(Unusable) {
            self.traceBeginning()
            guard let rule = try self.rule() else {
                self.note("rule", place: nil, .nothing)
                return (self.delivery([.ignored(.unrelated)], id: self.plan.deliveryID), nil)
            }
            self.note("rule", place: nil, .value(rule.place))
            let items = self.items(of: rule)
            return (self.delivery(items, id: rule.deliveryID ?? self.plan.deliveryID), rule.answer)
        } catch {
            return (self.delivery([.unusable(error)], id: self.plan.deliveryID), nil)
        }
    }

    private mutating func rule() throws(Unusable) -> Rule? {
        for rule in self.plan.rules where try self.holds(rule.when) { return rule }
        return nil
    }

    private mutating func items(of rule: Rule) -> [MappedItem] {
        switch rule.meaning {
        case .ignore(let reason): return [.ignored(reason)]
        case .quarantine: return [.unusable(Unusable(.unsupported, "\(self.eventPlace)"))]
        case .words(let parts):
            var items: [MappedItem] = []
            do throws(Unusable) {
                for part in parts { try self.readWords(of: part, into: &items) }
            } catch {
                // Nothing is certain of a delivery that is too long.
                return [.unusable(error)]
            }
            let words = items.compactMap(\.word)
            self.isTaking = words.isEmpty ? parts.allSatisfy(\.isTaking) : words.allSatisfy(\.isTaking)
            return items.isEmpty ? [.ignored(.nobody)] : items
        }
    }

    /// The id is read last: its words say whether the arrival is a part of it. A word without a certain id could be
    /// taken twice.
    private mutating func delivery(_ items: [MappedItem], id value: Value?) -> MappedDelivery {
        var delivery = MappedDelivery(id: "", items: items, type: nil)
        do {
            delivery.id = try self.deliveryID(value)
        } catch {
            delivery.id = self.hashOfEvent()
            if items.contains(where: \.isWord) { delivery.items = [.unusable(error)] }
        }
        self.note("delivery_id", place: nil, .value(delivery.id))
        if !items.allSatisfy(\.isWord) { delivery.type = self.type() }
        return delivery
    }

    /// What the sender calls the event, where that is a text that can be shown.
    private mutating func type() -> String? {
        self.key = ""
        guard let value = self.plan.type, let type = try? self.pick(value), type.utf8.count <= 255,
            VisibleText.isVisible(type)
        else { return nil }
        return type
    }

    // MARK: - The trace

    private mutating func traceBeginning() {
        guard self.isTraced else { return }
        for (part, value) in [("type", self.plan.type), ("actor", self.plan.actor)] {
            guard let value else { continue }
            self.key = part
            do {
                if try self.pick(value) == nil { self.note(part, place: nil, .nothing) }
            } catch {
                self.note(part, place: error.place, .unusable(error))
            }
        }
        self.key = ""
    }

    mutating func note(_ part: String, place: String?, _ picked: TraceStep.Picked) {
        guard self.isTraced, !part.isEmpty, self.steps.count < Mapping.maximumItems else { return }
        self.steps.append(TraceStep(part: part, event: self.eventNumber, place: place, picked: picked))
    }
}

/// Results of searches through lists and texts, by the numbers of their values, and of places that are not there.
struct Memory {
    var texts: [Int: Result<String?, Unusable>] = [:]
    var absences: [Int: Unusable] = [:]
}

/// Where a text stands.
enum Spot {
    case nowhere
    case place(Place)
    case header(String)
}
