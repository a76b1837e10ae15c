// SPDX-License-Identifier: Apache-2.0
// Which headers a mapping reads: these are kept with a body that could not be used.

extension Mapping {
    /// In lower case.
    var readHeaders: Set<String> {
        self.plans.reduce(into: []) { names, form in
            names.formUnion(form.when.readHeaders)
            names.formUnion(form.plan.readHeaders)
        }
    }
}

extension Plan {
    fileprivate var readHeaders: Set<String> {
        let own = [self.type, self.deliveryID, self.actor].compactMap(\.self)
        return self.rules.reduce(into: own.readHeaders) { $0.formUnion($1.readHeaders) }
    }
}

extension Rule {
    fileprivate var readHeaders: Set<String> {
        var names = self.when.readHeaders.union(self.deliveryID?.readHeaders ?? [])
        guard case .words(let parts) = self.meaning else { return names }
        for part in parts { names.formUnion(part.readHeaders) }
        return names
    }
}

extension WordPart {
    fileprivate var readHeaders: Set<String> {
        let values = [self.user, self.organization, self.displayName, self.email].compactMap(\.self)
        return (values + self.times.map(\.value)).readHeaders
            .union(self.when.readHeaders).union(self.whenElement.readHeaders)
    }
}

extension [Condition] {
    fileprivate var readHeaders: Set<String> { self.reduce(into: []) { $0.formUnion($1.readHeaders) } }
}

extension Condition {
    fileprivate var readHeaders: Set<String> {
        switch self {
        case .place: []
        case .header(let name, _): [name.lowercased()]
        case .not(let condition): condition.readHeaders
        }
    }
}

extension [Value] {
    fileprivate var readHeaders: Set<String> { self.reduce(into: []) { $0.formUnion($1.readHeaders) } }
}

extension Value {
    fileprivate var readHeaders: Set<String> {
        switch self {
        case .header(let header): [header.name]
        case .first(let values), .joined(let values): values.readHeaders
        case .composite(let parts): parts.map(\.value).readHeaders
        case .place, .provenID, .fixed, .find, .held, .hash: []
        }
    }
}
