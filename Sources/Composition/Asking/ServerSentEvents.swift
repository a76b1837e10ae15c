// SPDX-License-Identifier: Apache-2.0
// Reads server-sent events out of the bytes of a stream (WHATWG HTML, section 9.2.6).

/// Bytes come in any pieces; an event is complete at an empty line.
struct ServerSentEvents {
    struct Event: Equatable {
        var id: String?
        var name: String?
        var data: String
    }

    private var line: [UInt8] = []
    private var (id, name): (String?, String?) = (nil, nil)
    private var data: [String] = []

    /// Takes the next bytes. Returns the events that they complete.
    mutating func take(_ bytes: [UInt8]) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                self.line.append(byte)
                continue
            }
            if self.line.last == UInt8(ascii: "\r") { self.line.removeLast() }
            let text = String(decoding: self.line, as: UTF8.self)
            self.line = []
            if let event = self.take(line: text) { events.append(event) }
        }
        return events
    }

    /// A line that begins with a colon is a comment, such as a heartbeat.
    private mutating func take(line: String) -> Event? {
        guard !line.isEmpty else {
            defer { (self.name, self.data) = (nil, []) }
            guard !self.data.isEmpty else { return nil }
            return Event(id: self.id, name: self.name, data: self.data.joined(separator: "\n"))
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var value = parts.count == 2 ? parts[1] : ""
        if value.hasPrefix(" ") { value.removeFirst() }
        switch parts[0] {
        case "id": self.id = value
        case "event": self.name = value
        case "data": self.data.append(value)
        default: break
        }
        return nil
    }
}
