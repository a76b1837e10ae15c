// SPDX-License-Identifier: Apache-2.0
// The median, percentiles and rounding of figures.

extension Array where Element == Double {
    /// The middle value; the upper of two.
    var median: Double { self.sorted()[self.count / 2] }

    /// Returns the value that `share` of all values do not exceed.
    func percentile(_ share: Double) -> Double {
        let sorted = self.sorted()
        return sorted.isEmpty ? 0 : sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

extension Double {
    /// The value with two decimals.
    var rounded2: Double { (self * 100).rounded() / 100 }
}
