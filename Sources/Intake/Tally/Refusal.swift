// SPDX-License-Identifier: Apache-2.0
// Why a request to a hook was refused, as one word of a closed set.

/// Names no value, no header and no place, so that an operator's table of reasons has few rows whatever senders do.
package struct Refusal: Sendable, Equatable {
    /// The column `tally.reason`.
    package let reason: String
    /// The sender's time minus ours in milliseconds, where the proof held but for the time. Nil otherwise.
    package let skewMilliseconds: Int64?

    private init(_ reason: String, skewMilliseconds: Int64? = nil) {
        self.reason = reason
        self.skewMilliseconds = skewMilliseconds
    }

    /// Whether the sender was not proven.
    var isOfProof: Bool { self.reason.hasPrefix("proof_") }

    // MARK: What is refused before intake has the delivery

    package static let tooLarge = Refusal("too_large")
    package static let encoded = Refusal("content_encoding")
    package static let unreadable = Refusal("unreadable_body")
    package static let busy = Refusal("busy")
    package static let unavailable = Refusal("unavailable")
    static let unknownHook = Refusal("unknown_hook")

    // MARK: What intake refuses

    package init(_ error: IntakeError) {
        switch error {
        case .unknownHook: self = .unknownHook
        case .disabled: self.init("source_disabled")
        case .badProof(let failure):
            self.init("proof_\(failure.kind.rawValue)", skewMilliseconds: failure.skewMilliseconds)
        case .unusable(.notJSON): self.init("body_not_json")
        case .unusable(.wrongValue): self.init("body_wrong_value")
        case .unusable(.tenantNotAllowed): self.init("tenant_not_allowed")
        case .deliveryReused: self.init("delivery_id_reused")
        case .busy: self = .busy
        case .unavailable: self = .unavailable
        case .tooManyUnknown: self.init("too_many_unknown")
        case .keysUnavailable: self.init("keys_unavailable")
        }
    }
}
