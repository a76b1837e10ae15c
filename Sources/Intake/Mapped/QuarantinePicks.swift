// SPDX-License-Identifier: Apache-2.0
// What a mapping has read of events that could not be used, for the operator who looks at them.

import Model

enum QuarantinePicks {
    /// Values of one event at most.
    private static let maximumCount = 32

    /// Returns a JSON object for each note: the parts of the mapping and what each has picked first, 255 bytes at most.
    /// What the configuration names as secret is left out, and who did it: `source check` alone shows that.
    static func texts(of request: QuarantinedRequest) -> [String] {
        let shown = request.source.compiled.withoutProof(request.request)
        let texts = Self.texts(of: shown, Set(request.notes.map(\.number)), by: request.source.mapping)
        return request.notes.map { texts[$0.number] ?? "{}" }
    }

    /// Returns a JSON object for each of these deliveries of a request, by their numbers.
    static func texts(of request: ProvenRequest, _ numbers: Set<Int>, by mapping: Mapping) -> [Int: String] {
        var picked: [Int: [(part: String, value: String)]] = [:]
        for step in mapping.trace(request).steps where numbers.contains(step.event) {
            guard case .value(let value) = step.picked, step.part != "actor" else { continue }
            let known = picked[step.event] ?? []
            guard known.count < Self.maximumCount, !known.contains(where: { $0.part == step.part }) else { continue }
            picked[step.event] = known + [(step.part, value)]
        }
        return picked.mapValues { parts in
            "{\(parts.map { "\(JSONText.quoted($0.part)):\(JSONText.quoted($0.value))" }.joined(separator: ","))}"
        }
    }
}
