// SPDX-License-Identifier: Apache-2.0
// What a mapping has read of events that could not be used, for the operator who looks at them.

import Model

/// What is read of one delivery: the parts of the mapping, each with what it has picked first. A word has its own
/// person and organisation. What the configuration names as secret is left out. So are who did it and what people are
/// called: `source check` alone shows these.
struct QuarantinePicks: Sendable {
    /// Values of one event at most.
    private static let maximumCount = 32
    /// Parts of which each word has its own.
    private static let ofWords = ["user_id", "organization"]
    private static let unkept: Set = ["actor", "display_name", "email"]

    private var first: [(part: String, value: String)] = []
    /// All values of the parts that words have of their own. One that is not among them is secret.
    private var shown: [String: Set<String>] = [:]

    /// Returns a JSON object for each note. A value has 255 bytes at most.
    static func texts(of request: QuarantinedRequest) -> [String] {
        let shown = request.source.compiled.withoutProof(request.request)
        let picks = Self.read(shown, Set(request.notes.map(\.number)), by: request.source.mapping)
        return request.notes.map { note in
            let picked = picks[note.number] ?? QuarantinePicks()
            return note.named.map { picked.text(of: $0.person, in: $0.place) } ?? picked.text
        }
    }

    /// Returns what is picked of each of these deliveries of a request, by their numbers.
    static func read(_ request: ProvenRequest, _ numbers: Set<Int>, by mapping: Mapping) -> [Int: QuarantinePicks] {
        var picked: [Int: QuarantinePicks] = [:]
        for step in mapping.trace(request).steps where numbers.contains(step.event) {
            guard case .value(let value) = step.picked, !Self.unkept.contains(step.part) else { continue }
            picked[step.event, default: QuarantinePicks()].add(step.part, value)
        }
        return picked
    }

    private mutating func add(_ part: String, _ value: String) {
        if Self.ofWords.contains(part) { self.shown[part, default: []].insert(value) }
        guard self.first.count < Self.maximumCount, !self.first.contains(where: { $0.part == part }) else { return }
        self.first.append((part, value))
    }

    /// What the delivery's first word was.
    var text: String { Self.text(self.first) }

    /// Returns what was picked of the word on this person, in an organisation or in none. Nil: of no word.
    func text(of person: String?, in organization: String?) -> String {
        var parts = self.first.filter { !Self.ofWords.contains($0.part) }
        for (part, value) in zip(Self.ofWords, [person, organization]) {
            guard let value, let shown = self.shown[part], shown.contains(value) else { continue }
            parts.append((part, value))
        }
        return Self.text(parts)
    }

    func text(of word: Word?) -> String { self.text(of: word?.person.rawValue, in: word?.organization) }

    private static func text(_ parts: [(part: String, value: String)]) -> String {
        "{\(parts.map { "\(JSONText.quoted($0.part)):\(JSONText.quoted($0.value))" }.joined(separator: ","))}"
    }
}
