// SPDX-License-Identifier: Apache-2.0
// What a mapping has read of events that could not be used, for the operator who looks at them.

import Model

enum QuarantinePicks {
    /// Values of one event at most.
    private static let maximumCount = 32

    /// Returns a JSON object for each note: the parts of the mapping and what each has picked first, 255 bytes at most.
    /// What the configuration names as secret is left out.
    static func texts(of request: QuarantinedRequest) -> [String] {
        let numbers = Set(request.notes.map(\.number))
        var picked: [Int: [(part: String, value: String)]] = [:]
        for step in request.source.mapping.trace(request.request).steps where numbers.contains(step.event) {
            guard case .value(let value) = step.picked else { continue }
            let known = picked[step.event] ?? []
            guard known.count < Self.maximumCount, !known.contains(where: { $0.part == step.part }) else { continue }
            picked[step.event] = known + [(step.part, value)]
        }
        let texts = picked.mapValues { parts in
            "{\(parts.map { "\(JSONText.quoted($0.part)):\(JSONText.quoted($0.value))" }.joined(separator: ","))}"
        }
        return request.notes.map { texts[$0.number] ?? "{}" }
    }
}
