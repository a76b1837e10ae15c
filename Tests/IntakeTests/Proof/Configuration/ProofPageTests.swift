// SPDX-License-Identifier: Apache-2.0
// The examples of the page on proofs are configurations that this program reads.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct ProofPageTests {
    private static func page() throws -> String {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
            try #require(folder.path != "/", "Package.swift is not above \(#filePath)")
            folder.deleteLastPathComponent()
        }
        return try String(contentsOf: folder.appending(path: "docs/sources/proofs.md"), encoding: .utf8)
    }

    @Test func `every example is read, and every kind has one`() throws {
        var kinds: Set<String> = []
        for part in try Self.page().components(separatedBy: "```json\n").dropFirst() {
            let example = part.components(separatedBy: "```")[0]
            let value = try JSONValue(parsing: Array(example.utf8))
            #expect(throws: Never.self, "\(example)") { try ProofConfiguration(value) }
            if let kind = value["kind"]?.string { kinds.insert(kind) }
        }
        #expect(kinds == Set(ProofConfiguration.Kind.allCases.map(\.rawValue)))
    }

    /// A kind of algorithm, hash or encoding that the page forgets cannot be found.
    @Test func `the page names what may be written`() throws {
        let page = try Self.page()
        for hash in HMACTerms.Hash.allCases { #expect(page.contains("`\(hash.rawValue)`")) }
        for encoding in HMACTerms.Encoding.allCases { #expect(page.contains("`\(encoding.rawValue)`")) }
        for algorithm in TokenAlgorithm.allCases where !["RS384", "PS384"].contains(algorithm.rawValue) {
            #expect(page.contains("`\(algorithm.rawValue)`"), "\(algorithm.rawValue)")
        }
    }
}
