// SPDX-License-Identifier: Apache-2.0
// A value that one task gives once and another waits for, such as the port of a service that has started.

/// One giver and one waiter.
struct Promise<Value: Sendable>: Sendable {
    private let values: AsyncStream<Value>
    private let source: AsyncStream<Value>.Continuation

    init() { (self.values, self.source) = AsyncStream.makeStream() }

    func give(_ value: Value) { self.source.yield(value) }

    /// Says that no value will come any more.
    func end() { self.source.finish() }

    /// Waits for the value. Throws `DemoError.notStarted` when none comes. Cancelled here: throws.
    func value() async throws -> Value {
        for await value in self.values { return value }
        throw DemoError.notStarted
    }
}
