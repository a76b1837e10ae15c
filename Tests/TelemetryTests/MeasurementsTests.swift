// SPDX-License-Identifier: Apache-2.0
// A scrape is valid, complete and documented, and counts exactly.

import Foundation
import Model
import Testing

@testable import Telemetry

@Suite struct MeasurementsTests {
    /// A process in which a little of everything has happened.
    private static func busy() -> Measurements {
        let metrics = Measurements(version: "1.2.3", worker: WorkerPulse())
        metrics.deliveries.add(.accepted, 3)
        metrics.deliveries.add(.badProof)
        metrics.commitEvents.observe(256)
        metrics.commitDuration.observe(.milliseconds(3))
        metrics.timeToCredential.observe(.looked, .seconds(40))
        metrics.jobs.set(.queued, .nan)
        metrics.oldestJobAge.set(.inDoubt, 1.5)
        metrics.providerCalls.observe(ProviderCall(.create, status: 201), .milliseconds(80))
        metrics.loginTokens.add(.cached)
        return metrics
    }

    @Test(.enabled(if: Promtool.path != nil, "promtool is NOT HERE: install Debian's package prometheus"))
    func `promtool finds nothing to say about a scrape`() async throws {
        let tool = try #require(Promtool.path)
        for metrics in [Measurements(), Self.busy()] {
            let verdict = try await Promtool.check(metrics.text(), with: tool)
            #expect(verdict.code == 0 && verdict.words.isEmpty, "\(verdict.words)")
        }
        let wrong = try await Promtool.check("# TYPE a counter\na 1\n", with: tool)
        #expect(wrong.code != 0, "promtool would say so")
    }

    @Test func `each line of a scrape is a comment or a sample of the metric above it`() throws {
        let sample = /([a-z_]+)(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? (NaN|[-+0-9.e]+)/
        var name = ""
        for line in Self.busy().text().split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                name = String(line.split(separator: " ")[2])
            } else if !line.hasPrefix("# TYPE \(name) ") {
                let match = try #require(line.wholeMatch(of: sample), "\(line)")
                let own = ["", "_bucket", "_sum", "_count"].map { name + $0 }
                #expect(own.contains(String(match.output.1)), "\(line) under \(name)")
            }
        }
        #expect(!name.isEmpty)
    }

    @Test func `the page of operations has a row for each metric, and no other`() throws {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
            try #require(folder.path != "/", "Package.swift is not above \(#filePath)")
            folder.deleteLastPathComponent()
        }
        let page = try String(contentsOf: folder.appendingPathComponent("docs/operations.md"), encoding: .utf8)
        let documented = page.matches(of: /\| `((?:dialtone|process)_[a-z_]+)` \|/).map { String($0.output.1) }
        let scraped = Self.busy().text().matches(of: /TYPE ([a-z_]+) [a-z]+\n/).map { String($0.output.1) }
        #expect(documented.sorted() == scraped.sorted())
    }

    @Test func `a scrape shows every series from the start, so that a rate sees the first event`() {
        let page = Measurements().text()
        for outcome in DeliveryOutcome.allCases {
            #expect(page.contains("dialtone_deliveries_total{outcome=\"\(outcome.rawValue)\"} 0\n"))
        }
        let call = "dialtone_provider_request_duration_seconds_count{operation=\"create\",class=\"429\"} 0\n"
        #expect(page.contains(call))
    }

    @Test func `a process says of itself what it uses`() throws {
        let page = Measurements().text()
        func value(_ name: String) throws -> Double {
            let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("\(name) ") }, "\(name)")
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_open_fds") > 2)
        #expect(try value("process_cpu_seconds_total") >= 0)
        let age = Date().timeIntervalSince1970 - (try value("process_start_time_seconds"))
        #expect(age > -5 && age < 86_400 * 30)
    }

    @Test func `additions from many tasks at once are all counted`() async {
        let metrics = Measurements()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        metrics.deliveries.add(.accepted)
                        metrics.commitEvents.observe(1)
                    }
                }
            }
        }
        #expect(metrics.deliveries[.accepted]?.value == 8000)
        #expect(metrics.commitEvents.count == 8000)
    }
}
