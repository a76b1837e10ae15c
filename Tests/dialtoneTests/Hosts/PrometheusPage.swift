// SPDX-License-Identifier: Apache-2.0
// Reads a scrape as Prometheus does (text format 0.0.4), and names everything that Prometheus or its users would mind.

import Foundation

struct PrometheusPage {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double

        /// What makes it one series.
        var series: String { "\(self.name) \(self.labels.sorted { $0.key < $1.key })" }
    }

    /// A metric with its type and samples.
    struct Family {
        let name: String
        var type = ""
        var samples: [Sample] = []
    }

    private(set) var families: [Family] = []
    /// What is wrong; empty for a good page.
    private(set) var faults: [String] = []

    /// The family of that name; nil when it is not there.
    subscript(name: String) -> Family? { self.families.first { $0.name == name } }

    init(_ text: String) {
        if !text.hasSuffix("\n") { self.faults.append("the last line has no end") }
        for line in text.split(separator: "\n") { self.read(line) }
        if self.families.isEmpty { self.faults.append("no metric") }
        for family in self.families { self.judge(family) }
        let series = self.families.flatMap(\.samples).map(\.series)
        for (name, count) in Dictionary(grouping: series, by: { $0 }).mapValues(\.count) where count > 1 {
            self.faults.append("\(name) comes \(count) times")
        }
    }

    // MARK: Lines

    private mutating func read(_ line: Substring) {
        if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) {
            let name = String(match.output.1)
            if self[name] != nil { self.faults.append("\(name) has a second HELP") }
            self.families.append(Family(name: name))
        } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
            guard let last = self.families.last, last.name == match.output.1, last.type.isEmpty, last.samples.isEmpty
            else { return self.faults.append("not below its HELP: \(line)") }
            self.families[self.families.count - 1].type = String(match.output.2)
        } else if let sample = Self.sample(line) {
            guard let last = self.families.last, !last.type.isEmpty else {
                return self.faults.append("before its TYPE: \(line)")
            }
            self.families[self.families.count - 1].samples.append(sample)
        } else {
            self.faults.append("no sample and no comment: \(line)")
        }
    }

    private static func sample(_ line: Substring) -> Sample? {
        guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eInfNa]+)/) else {
            return nil
        }
        let (name, list, number) = (match.output.1, match.output.2 ?? "", match.output.3)
        let value = number == "NaN" ? Double.nan : number == "+Inf" ? Double.infinity : Double(number)
        guard let value else { return nil }
        var labels: [String: String] = [:]
        var rest = list
        while !rest.isEmpty {
            guard let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/),
                labels.updateValue(String(label.output.2), forKey: String(label.output.1)) == nil
            else { return nil }
            rest = rest[label.range.upperBound...]
        }
        return Sample(name: String(name), labels: labels, value: value)
    }

    // MARK: Metrics

    private mutating func judge(_ family: Family) {
        let name = family.name
        if family.samples.isEmpty { self.faults.append("\(name) has no sample") }
        switch family.type {
        case "counter":
            if !name.hasSuffix("_total") { self.faults.append("\(name) does not end in _total") }
            for sample in family.samples where !(sample.value >= 0 && sample.value.isFinite) {
                self.faults.append("\(sample.series) is \(sample.value)")
            }
        case "histogram": self.judgeHistogram(family)
        case "gauge":
            if name.hasSuffix("_total") { self.faults.append("\(name) is a gauge and ends in _total") }
        default: self.faults.append("\(name) has no TYPE")
        }
        if family.type != "histogram" {
            for sample in family.samples where sample.name != name {
                self.faults.append("\(sample.name) stands under \(name)")
            }
        }
        let names = Set(family.samples.map { Set($0.labels.keys).subtracting(["le"]) })
        if names.count > 1 { self.faults.append("\(name) has series with different labels") }
    }

    /// Buckets count everything up to their bounds, the last of them everything.
    private mutating func judgeHistogram(_ family: Family) {
        let name = family.name
        let groups = Dictionary(grouping: family.samples) { sample in
            "\(sample.labels.filter { $0.key != "le" }.sorted { $0.key < $1.key })"
        }
        for (labels, samples) in groups {
            let buckets = samples.filter { $0.name == "\(name)_bucket" }
            let bounds = buckets.map { bucket -> Double in
                let bound = bucket.labels["le"] ?? ""
                return bound == "+Inf" ? Double.infinity : Double(bound) ?? Double.nan
            }
            let sum = samples.filter { $0.name == "\(name)_sum" }.map(\.value)
            let count = samples.filter { $0.name == "\(name)_count" }.map(\.value)
            let isWhole =
                samples.count == buckets.count + 2 && sum.count == 1 && count.count == 1 && bounds.last == .infinity
            let isRising =
                zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
                && zip(buckets, buckets.dropFirst()).allSatisfy { $0.value <= $1.value }
            let isConsistent = buckets.last?.value == count.first && (sum.first ?? -1) >= 0
            if !isWhole || !isRising || !isConsistent {
                let counts = buckets.map(\.value)
                self.faults.append("\(name) \(labels) is no histogram: \(bounds) \(counts) \(sum) \(count)")
            }
        }
    }
}
