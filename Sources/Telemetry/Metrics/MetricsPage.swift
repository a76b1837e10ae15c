// SPDX-License-Identifier: Apache-2.0
// The text of a scrape, in Prometheus' exposition format 0.0.4.

/// Writes metrics one after another. Each has a HELP and a TYPE line, then its samples.
struct MetricsPage {
    private(set) var text = ""

    // MARK: Counters

    mutating func add(_ name: String, _ help: String, _ counter: Counter) {
        self.begin(name, help, "counter")
        self.sample(name, [], "\(counter.value)")
    }

    mutating func add<Labels>(_ name: String, _ help: String, _ series: Series<Labels, Counter>) {
        self.begin(name, help, "counter")
        for (labels, counter) in series.all { self.sample(name, labels.pairs, "\(counter.value)") }
    }

    /// A number that only grows and that the system counts.
    mutating func addCounter(_ name: String, _ help: String, _ value: Double) {
        self.begin(name, help, "counter")
        self.sample(name, [], Self.number(value))
    }

    // MARK: Gauges

    mutating func addGauge(
        _ name: String, _ help: String, _ value: Double, _ labels: [(name: String, value: String)] = []
    ) {
        self.begin(name, help, "gauge")
        self.sample(name, labels, Self.number(value))
    }

    mutating func add<Labels>(_ name: String, _ help: String, _ series: Series<Labels, Gauge>) {
        self.begin(name, help, "gauge")
        for (labels, gauge) in series.all { self.sample(name, labels.pairs, Self.number(gauge.value)) }
    }

    // MARK: Histograms

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        self.begin(name, help, "histogram")
        self.samples(name, [], histogram)
    }

    mutating func add<Labels>(_ name: String, _ help: String, _ series: Series<Labels, Histogram>) {
        self.begin(name, help, "histogram")
        for (labels, histogram) in series.all { self.samples(name, labels.pairs, histogram) }
    }

    /// A bucket counts everything up to its bound.
    private mutating func samples(_ name: String, _ labels: [(name: String, value: String)], _ histogram: Histogram) {
        let snapshot = histogram.snapshot
        var count = 0
        for (bound, inBucket) in zip(histogram.bounds.map(Self.number) + ["+Inf"], snapshot.counts) {
            count += inBucket
            self.sample("\(name)_bucket", labels + [(name: "le", value: bound)], "\(count)")
        }
        self.sample("\(name)_sum", labels, Self.number(snapshot.sum))
        self.sample("\(name)_count", labels, "\(count)")
    }

    // MARK: Lines

    private mutating func begin(_ name: String, _ help: String, _ type: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: String) {
        self.text += name
        if !labels.isEmpty {
            let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            self.text += "{\(list)}"
        }
        self.text += " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// Whole numbers without a fraction, as Prometheus writes them itself.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }
}
