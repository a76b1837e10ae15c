// SPDX-License-Identifier: Apache-2.0
// One metric with a series for each combination of its labels. All combinations are there from the start.

/// The labels of a series. They form a closed set: a tenant, a user or a secret can be no label.
package protocol MetricLabels: Hashable, Sendable {
    /// Every combination, in the order of the page.
    static var combinations: [Self] { get }
    var pairs: [(name: String, value: String)] { get }
}

/// A single label, whose values are the cases of an enumeration.
package protocol MetricLabel: MetricLabels, CaseIterable, RawRepresentable where RawValue == String {
    static var labelName: String { get }
}

extension MetricLabel {
    package static var combinations: [Self] { Array(Self.allCases) }
    package var pairs: [(name: String, value: String)] { [(Self.labelName, self.rawValue)] }
}

package struct Series<Labels: MetricLabels, Metric: Sendable>: Sendable {
    private let metrics: [Labels: Metric]

    init(_ make: () -> Metric) {
        self.metrics = Dictionary(uniqueKeysWithValues: Labels.combinations.map { ($0, make()) })
    }

    /// In the order of the combinations.
    var all: [(labels: Labels, metric: Metric)] {
        Labels.combinations.compactMap { labels in self.metrics[labels].map { (labels: labels, metric: $0) } }
    }

    /// Nil only for a combination that the labels do not list.
    package subscript(labels: Labels) -> Metric? { self.metrics[labels] }
}

extension Series where Metric == Counter {
    package func add(_ labels: Labels, _ amount: Int = 1) { self.metrics[labels]?.add(amount) }
}

extension Series where Metric == Gauge {
    package func set(_ labels: Labels, _ value: Double) { self.metrics[labels]?.set(value) }
}

extension Series where Metric == Histogram {
    package func observe(_ labels: Labels, _ duration: Duration) { self.metrics[labels]?.observe(duration) }
}
