// SPDX-License-Identifier: Apache-2.0
// What `dialtone send` is asked for: one source, one event, and how often and how rightly it is sent.

package import Model

package struct SendOrder: Sendable {
    /// What is wrong on purpose, so that the service must refuse it.
    package enum Fault: Sendable {
        /// The time of the signature lies too far back.
        case stale
        /// Somebody signs who does not have the secret.
        case forged
    }

    package var url: String
    /// Nil with a configuration that names none; without one, `standard`.
    package var preset: String?
    /// The source's own configuration, as a file's bytes.
    package var configuration: [UInt8]?
    package var secret: Secret<String>?
    /// `created`, `deleted`, `removed`, or the sender's own name of an event.
    package var event = "created"
    package var user = ""
    /// The sender's own id of the organisation; or the tenant, where the sender names tenants.
    package var organization = ""
    /// The delivery's id. Nil: a random one in the sender's form.
    package var id: String?
    /// A body of the caller's own in place of a sample.
    package var body: [UInt8]?
    /// Headers beside those of the sample, or in their place.
    package var headers: [(name: String, value: String)] = []
    /// How often each delivery is sent, byte for byte the same.
    package var times = 1
    package var fault: Fault?

    package init(url: String) { self.url = url }
}
