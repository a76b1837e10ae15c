// SPDX-License-Identifier: Apache-2.0
// Buckets count everything up to their bound, and labels are what the provider's answer was.

import Testing

@testable import Telemetry

@Suite struct HistogramTests {
    @Test func `a bucket counts every value up to its bound, the bound included`() {
        let histogram = Histogram([1, 2, 4])
        for value in [0.5, 1, 1.5, 4, 100] { histogram.observe(value) }
        #expect(histogram.snapshot.counts == [2, 1, 1, 1])
        var page = MetricsPage()
        page.add("a_seconds", "Words.", histogram)
        #expect(
            page.text == """
                # HELP a_seconds Words.
                # TYPE a_seconds histogram
                a_seconds_bucket{le="1"} 2
                a_seconds_bucket{le="2"} 3
                a_seconds_bucket{le="4"} 4
                a_seconds_bucket{le="+Inf"} 5
                a_seconds_sum 107
                a_seconds_count 5

                """)
    }

    @Test func `a time before zero counts as zero`() {
        let histogram = Histogram([0, 1])
        histogram.observe(.seconds(-5))
        #expect(histogram.snapshot.counts == [1, 0, 0] && histogram.snapshot.sum == 0)
    }

    @Test func `a label's value is escaped, and what nobody knows is NaN`() {
        var page = MetricsPage()
        page.addGauge("a", "Words.", .nan, [("version", "1\"2\\3\n4")])
        #expect(page.text.hasSuffix("a{version=\"1\\\"2\\\\3\\n4\"} NaN\n"))
    }

    private static let classes: [(Int?, String)] = [
        (201, "2xx"), (200, "2xx"), (404, "4xx"), (429, "429"), (500, "5xx"), (503, "5xx"), (nil, "none"),
    ]

    @Test(arguments: Self.classes)
    func `an answer of the provider belongs to one class`(status: Int?, name: String) {
        let pairs = ProviderCall(.token, status: status).pairs
        #expect(pairs.map(\.value) == ["token", name])
        #expect(ProviderCall.combinations.contains(ProviderCall(.token, status: status)))
    }
}
