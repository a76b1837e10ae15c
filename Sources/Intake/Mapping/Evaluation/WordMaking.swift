// SPDX-License-Identifier: Apache-2.0
// Makes one word: of whom it speaks, of which organisation, and since when.

import Foundation
import Model

extension Reading {
    /// `lacksOrganization` is the word of an empty list of organisations.
    mutating func item(of part: WordPart, _ shared: inout Shared, lacksOrganization: Bool = false) -> MappedItem {
        do {
            let user = try self.user(of: part, &shared)
            if self.isIgnored(user) { return .ignored(.test) }
            var word = Word(
                person: user, ofPerson: part.person, organization: nil, ofMembership: nil, tenant: nil,
                moment: .unknown, isWeak: part.isWeak, isWhole: false, displayName: nil, email: nil)
            word.moment = try self.moment(of: part, &shared)
            if case .fixed(let tenant) = self.plan.tenants {
                guard part.person != nil else { return .ignored(.membership) }
                word.tenant = tenant
            } else if let membership = part.membership, let value = part.organization, !lacksOrganization,
                let (name, tenant) = try self.organization(value, of: part, &shared)
            {
                (word.organization, word.ofMembership, word.tenant) = (name, membership, tenant)
            }
            if self.keepsPersonal && !part.isTaking { self.addPersonal(part, to: &word) }
            return .word(word)
        } catch {
            return .unusable(error)
        }
    }

    // MARK: - Person

    private mutating func user(of part: WordPart, _ shared: inout Shared) throws(Unusable) -> UserID {
        if let user = shared.user { return try user.get() }
        let user = self.result { (reading) throws(Unusable) in try reading.user(part.user) }
        if !part.user.isOfElement { shared.user = user }
        return try user.get()
    }

    private mutating func user(_ value: Value) throws(Unusable) -> UserID {
        self.key = "user_id"
        guard let text = try self.pick(value) else { throw self.absence(of: value) }
        try self.requireID(text)
        guard let user = UserID(rawValue: text) else { throw Unusable(.badText, self.placeOfPicked) }
        return user
    }

    private func isIgnored(_ user: UserID) -> Bool {
        self.plan.ignoredUsers.contains { ignored in
            switch ignored {
            case .exactly(let id): id.utf8.elementsEqual(user.rawValue.utf8)
            case .beginning(let prefix): user.rawValue.utf8.starts(with: prefix.utf8)
            }
        }
    }

    /// An operator reads ids on a terminal, so all of an id is visible.
    private func requireID(_ text: String) throws(Unusable) {
        guard !text.isEmpty else { throw Unusable(.empty, self.placeOfPicked) }
        guard text.utf8.count <= 255 else { throw Unusable(.tooLong, self.placeOfPicked) }
        guard VisibleText.isVisible(text) else { throw Unusable(.badText, self.placeOfPicked) }
    }

    // MARK: - Organisation

    /// Nil where the word is on the person alone.
    private mutating func organization(
        _ value: Value, of part: WordPart, _ shared: inout Shared
    ) throws(Unusable) -> (name: String, tenant: TenantID?)? {
        if let organization = shared.organization { return try organization.get() }
        let isOptional = self.plan.takesPersonAlone && part.person != nil
        let organization = self.result { (reading) throws(Unusable) in
            try reading.organization(value, isOptional: isOptional)
        }
        if !value.isOfElement { shared.organization = organization }
        return try organization.get()
    }

    private mutating func organization(
        _ value: Value, isOptional: Bool
    ) throws(Unusable) -> (name: String, tenant: TenantID?)? {
        self.key = "organization"
        guard let text = try self.pick(value), !text.isEmpty || !isOptional else {
            if isOptional { return nil }
            throw self.absence(of: value)
        }
        try self.requireID(text)
        return (text, try self.tenant(named: text))
    }

    private func tenant(named name: String) throws(Unusable) -> TenantID? {
        guard case .allowed(let tenants) = self.plan.tenants else { return nil }
        guard let tenant = TenantID(rawValue: name), tenants.contains(tenant) else {
            throw Unusable(.tenantNotAllowed, self.placeOfPicked)
        }
        return tenant
    }

    // MARK: - Time, name and address

    private mutating func moment(of part: WordPart, _ shared: inout Shared) throws(Unusable) -> Word.Moment {
        if let moment = shared.moment { return try moment.get() }
        let moment = self.result { (reading) throws(Unusable) in try reading.moment(of: part) }
        if !part.times.contains(where: \.value.isOfElement) { shared.moment = moment }
        return try moment.get()
    }

    /// Nobody loses a credential over a name that cannot be shown.
    private mutating func addPersonal(_ part: WordPart, to word: inout Word) {
        word.displayName = self.personal(part.displayName, "display_name")
        word.email = self.personal(part.email, "email").flatMap { PersonName.isAddress($0) ? $0 : nil }
    }

    private mutating func personal(_ value: Value?, _ part: String) -> String? {
        self.key = part
        guard let value, let text = try? self.pick(value), PersonName.isReadable(text) else { return nil }
        return text
    }

    // MARK: - Absence

    /// Says what is missing: the first step of the way that is not there.
    private mutating func absence(of value: Value) -> Unusable {
        switch value {
        case .first(let values): values.first.map { self.absence(of: $0) } ?? Unusable(.missing)
        case .place(let place): self.rememberedAbsence(of: place)
        case .find(let find): Unusable(.noMatch, self.pointer(of: find.list))
        default: Unusable(.missing, self.placeName(of: value))
        }
    }

    /// To say what is missing takes a walk through the body, so it is said once for all elements of a list.
    private mutating func rememberedAbsence(of place: Place) -> Unusable {
        guard place.scope == .event || place.scope == .request else { return self.absence(of: place) }
        let isOfEvent = place.scope == .event
        let known = isOfEvent ? self.rememberedOfEvent.absences : self.rememberedOfRequest.absences
        if let absence = known[place.number] { return absence }
        let absence = self.absence(of: place)
        if isOfEvent {
            self.rememberedOfEvent.absences[place.number] = absence
        } else {
            self.rememberedOfRequest.absences[place.number] = absence
        }
        return absence
    }

    private func absence(of place: Place) -> Unusable {
        let scope = place.scope == .element ? self.element : place.scope == .request ? self.whole : self.event
        let base = place.scope == .element ? self.elementPlace : place.scope == .event ? self.eventPlace : nil
        var places = JSONPlaces()
        let ways = (0...place.pointer.steps.count).map { JSONPointer(steps: Array(place.pointer.steps.prefix($0))) }
        let numbers = ways.map { places.add($0) }
        guard let root = scope.root, let found = try? places.find(in: root) else {
            return Unusable(.missing, self.pointer(of: place))
        }
        for (way, number) in zip(ways, numbers) {
            let name = "\(base.map { $0.appending(way) } ?? way)"
            guard let view = try? found.value(number) else { return Unusable(.missing, name) }
            if view.kind == .null { return Unusable(.null, name) }
        }
        return Unusable(.missing, self.pointer(of: place))
    }

    /// Where the text stands that was picked last, for an error that names it.
    var placeOfPicked: String {
        switch self.spot {
        case .nowhere: ""
        case .place(let place): self.pointer(of: place)
        case .header(let name): "header \(name)"
        }
    }

    /// Where a value would stand.
    private func placeName(of value: Value) -> String {
        switch value {
        case .place(let place): self.pointer(of: place)
        case .held(let held): self.pointer(of: held.place)
        case .find(let find): self.pointer(of: find.list)
        case .header(let header): "header \(header.name)"
        case .first(let values), .joined(let values): values.first.map { self.placeName(of: $0) } ?? ""
        case .provenID, .fixed, .composite, .hash: ""
        }
    }
}
