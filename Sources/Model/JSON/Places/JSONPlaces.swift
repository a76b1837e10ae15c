// SPDX-License-Identifier: Apache-2.0
// Finds the values at named places of a JSON text in one pass; all others are passed by their structure.

/// The places that somebody reads, as a tree of their steps. It is made once and used for many texts.
package struct JSONPlaces: Sendable {
    private var nodes: [Node] = [Node()]

    private struct Node {
        var children: [Child] = []
    }

    private struct Child {
        let name: String
        /// Bytes of the name: most keys are told apart by it.
        let count: Int
        /// The name as an index of an array (RFC 6901 section 4); nil when it is none.
        let index: Int?
        let node: Int
    }

    package init() {}

    /// Adds a place, and returns its number in `JSONFound`. The same place always has the same number.
    package mutating func add(_ pointer: JSONPointer) -> Int {
        var node = 0
        for step in pointer.steps {
            if let known = self.nodes[node].children.first(where: { $0.name.utf8.elementsEqual(step.utf8) }) {
                node = known.node
            } else {
                self.nodes.append(Node())
                let child = Child(
                    name: step, count: step.utf8.count, index: Self.index(step), node: self.nodes.count - 1)
                self.nodes[node].children.append(child)
                node = child.node
            }
        }
        return node
    }

    /// Digits without a leading zero.
    private static func index(_ step: String) -> Int? {
        guard (1...9).contains(step.utf8.count), step.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            step == "0" || step.utf8.first != 0x30
        else { return nil }
        return Int(step)
    }

    /// Reads a whole text, which must be one value.
    package func find(in body: [UInt8]) throws(JSONError) -> JSONFound {
        var structure = JSONStructure(body)
        structure.passSpace()
        guard structure.peek() != nil else { throw structure.error("is empty") }
        let found = try self.find(&structure)
        structure.passSpace()
        guard structure.peek() == nil else { throw structure.error("has text behind its JSON value") }
        return found
    }

    /// Reads a value inside a text.
    package func find(in value: JSONView) throws(JSONError) -> JSONFound {
        var structure = JSONStructure(value.bytes, at: value.range.lowerBound)
        return try self.find(&structure)
    }

    private func find(_ structure: inout JSONStructure) throws(JSONError) -> JSONFound {
        var found = JSONFound(count: self.nodes.count)
        try self.pass(0, &structure, &found)
        return found
    }

    /// Passes the value of one node. It goes down only where a place lies deeper, so its depth is that of the places.
    private func pass(_ node: Int, _ structure: inout JSONStructure, _ found: inout JSONFound) throws(JSONError) {
        structure.passSpace()
        let start = structure.position
        switch self.nodes[node].children.isEmpty ? nil : structure.peek() {
        case UInt8(ascii: "{"): try self.passObject(node, &structure, &found)
        case UInt8(ascii: "["): try self.passArray(node, &structure, &found)
        default: try structure.passValue()
        }
        found.values[node] = JSONView(bytes: structure.bytes, range: start..<structure.position)
    }

    private func passObject(
        _ node: Int, _ structure: inout JSONStructure, _ found: inout JSONFound
    ) throws(JSONError) {
        _ = structure.take(UInt8(ascii: "{"))
        structure.passSpace()
        if structure.take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try structure.passKey()
            if let child = self.child(of: node, named: key, in: structure.bytes) {
                if found.values[child.node] != nil { self.markRepeated(child, at: key.lowerBound, child.name, &found) }
                try self.pass(child.node, &structure, &found)
            } else {
                try structure.passValue()
            }
            structure.passSpace()
        } while structure.take(UInt8(ascii: ","))
        guard structure.take(UInt8(ascii: "}")) else { throw structure.error("expected ',' or '}'") }
    }

    private func child(of node: Int, named key: Range<Int>, in bytes: [UInt8]) -> Child? {
        let children = self.nodes[node].children
        let hasEscape = bytes[key].contains(UInt8(ascii: "\\"))
        for place in children.indices where children[place].count == key.count || hasEscape {
            if JSONObject.isEqual(key, in: bytes, to: children[place].name) { return children[place] }
        }
        return nil
    }

    /// Of two equal names one parser keeps the first and another the last, so nothing below them is certain.
    private func markRepeated(_ child: Child, at offset: Int, _ name: String, _ found: inout JSONFound) {
        found.repeated[child.node] = JSONError(reason: "has \(name) twice", offset: offset)
        for deeper in self.nodes[child.node].children { self.markRepeated(deeper, at: offset, name, &found) }
    }

    private func passArray(
        _ node: Int, _ structure: inout JSONStructure, _ found: inout JSONFound
    ) throws(JSONError) {
        _ = structure.take(UInt8(ascii: "["))
        structure.passSpace()
        if structure.take(UInt8(ascii: "]")) { return }
        var index = 0
        repeat {
            if let child = self.nodes[node].children.first(where: { $0.index == index }) {
                try self.pass(child.node, &structure, &found)
            } else {
                try structure.passValue()
            }
            index += 1
            structure.passSpace()
        } while structure.take(UInt8(ascii: ","))
        guard structure.take(UInt8(ascii: "]")) else { throw structure.error("expected ',' or ']'") }
    }
}

/// What one text holds at the places that were asked for.
package struct JSONFound: Sendable {
    /// By the places' numbers. The whole text stands at 0.
    fileprivate var values: [JSONView?]
    fileprivate var repeated: [Int: JSONError] = [:]

    fileprivate init(count: Int) { self.values = Array(repeating: nil, count: count) }

    /// A text that was not there: it holds nothing.
    package static let nothing = JSONFound(count: 0)

    /// Returns the value of a place; nil when there is none. Throws where a name on the way to it is there twice.
    package func value(_ place: Int) throws(JSONError) -> JSONView? {
        if !self.repeated.isEmpty, let error = self.repeated[place] { throw error }
        return place < self.values.count ? self.values[place] : nil
    }

    /// The whole text; nil for one that was not there.
    package var root: JSONView? { self.values.first ?? nil }
}
