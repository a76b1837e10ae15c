// SPDX-License-Identifier: Apache-2.0
// Reads the answers that a sender understands, and its handshakes.

import Model

enum ReadAnswers {
    /// `{"accepted": {"status": 204}, "any": {"status": 200, "body": "{}"}, "within_ms": 2500}`. `any` is for outcomes
    /// that are not named.
    static func answers(_ section: Section) throws(InvalidValue) -> SenderAnswers {
        guard let json = section["answers"] else { return SenderAnswers() }
        let outcomes = SenderAnswers.Outcome.allCases
        let answers = try Section(
            json, at: section.place(of: "answers"), keys: outcomes.map(\.rawValue) + ["any", "within_ms"])
        let any = try Self.answer("any", of: answers)
        var read = SenderAnswers()
        read.within = try answers.integer("within_ms", in: 500...60_000).map { .milliseconds($0) }
        for outcome in outcomes {
            if let answer = try Self.answer(outcome.rawValue, of: answers) ?? any { read.answers[outcome] = answer }
        }
        return read
    }

    /// A proven delivery is answered with 2xx, whatever it holds: many senders take a 4xx for final.
    static func answer(_ key: String, of section: Section) throws(InvalidValue) -> SenderAnswer? {
        guard let json = section[key] else { return nil }
        let answer = try Section(json, at: section.place(of: key), keys: ["status", "body", "content_type"])
        guard let status = try answer.integer("status", in: 200...299) else { throw answer.missing("status") }
        let body = try answer.text("body")
        guard (body?.utf8.count ?? 0) <= 1024 else {
            throw InvalidValue(answer.place(of: "body"), "may have at most 1024 bytes")
        }
        guard body == nil || status != 204 else {
            throw InvalidValue(answer.place(of: "body"), "cannot go with the status 204")
        }
        let type = try answer.text("content_type") ?? (body == nil ? nil : "application/json")
        try Self.requireHeaderValue(type ?? "", at: answer.place(of: "content_type"))
        return SenderAnswer(status: status, body: body, contentType: type)
    }

    private static func requireHeaderValue(_ text: String, at place: String) throws(InvalidValue) {
        guard text.utf8.count <= 255, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw InvalidValue(place, "must be at most 255 printable ASCII characters")
        }
    }

    // MARK: - Handshakes

    static func handshakes(_ section: Section) throws(InvalidValue) -> [Handshake] {
        var handshakes: [Handshake] = []
        for (json, place) in try section.list("handshakes") ?? [] {
            let entry = try Section(json, at: place, keys: ["method", "proof", "status", "headers", "echo"])
            handshakes.append(
                Handshake(
                    method: (try entry.choice("method", of: Method.self) ?? .get).rawValue,
                    needsProof: try entry.flag("proof") ?? true,
                    status: try entry.integer("status", in: 200...299) ?? 200, headers: try Self.headers(entry),
                    echoes: try Self.echoes(entry)))
        }
        return handshakes
    }

    private enum Method: String, CaseIterable { case get = "GET", options = "OPTIONS" }

    private static func headers(_ section: Section) throws(InvalidValue) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for (json, place) in try section.list("headers") ?? [] {
            let header = try Section(json, at: place, keys: ["header", "value"])
            let value = try header.text("value") ?? ""
            try Self.requireHeaderValue(value, at: header.place(of: "value"))
            headers.append((try ReadValue.headerName(header), value))
        }
        return headers
    }

    private static func echoes(_ section: Section) throws(InvalidValue) -> [Handshake.Echo] {
        var echoes: [Handshake.Echo] = []
        for (json, place) in try section.list("echo") ?? [] {
            let echo = try Section(json, at: place, keys: ["header", "required", "to_header", "to_member"])
            let target: Handshake.Echo.Target
            switch (try echo.text("to_header"), try echo.text("to_member")) {
            case (let name?, nil): target = .header(name.lowercased())
            case (nil, let name?): target = .member(name)
            default: throw InvalidValue(place, "needs exactly one of to_header, to_member")
            }
            echoes.append(
                Handshake.Echo(
                    header: try ReadValue.headerName(echo), isRequired: try echo.flag("required") ?? true,
                    target: target))
        }
        return echoes
    }
}
