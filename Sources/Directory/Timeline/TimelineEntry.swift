// SPDX-License-Identifier: Apache-2.0
// One step in the life of a user: something that was said, done, made, found or handed out.

package import Foundation
package import Model

/// Members that say nothing about a kind of step are nil.
package struct TimelineEntry: Sendable, Codable, Equatable {
    package let at: Date
    package let kind: TimelineKind
    @OrNull package var generation: Generation? = nil
    /// How long the provider's call took, and how long the job had waited for a permit and its turn, in milliseconds.
    @OrNull package var callMilliseconds: Int32? = nil
    @OrNull package var waitedMilliseconds: Int32? = nil
    @OrNull package var httpStatus: Int32? = nil
    @OrNull package var providerRequestID: String? = nil
    /// The provider's code, or ours; of an event the detail of its outcome.
    @OrNull package var code: String? = nil
    @OrNull package var eventID: String? = nil
    @OrNull package var deliveryID: String? = nil
    @OrNull package var source: String? = nil
    @OrNull package var credentialID: String? = nil
    /// Who did it, where it was a person: 'operator'. And the id of the request or command that asked for it.
    @OrNull package var actor: String? = nil
    @OrNull package var requestID: String? = nil
    /// The states of the job before and after, its number of claims, and the worker that had it.
    @OrNull package var from: String? = nil
    @OrNull package var to: String? = nil
    @OrNull package var epoch: Int64? = nil
    @OrNull package var worker: String? = nil

    package init(at: Date, kind: TimelineKind) {
        self.at = at
        self.kind = kind
    }

    /// Since 1970. A `Date` of these centuries is nearer to its microsecond than to any other.
    var microseconds: Int64 { Int64((self.at.timeIntervalSince1970 * 1_000_000).rounded()) }

    /// What tells it from another step of the same kind and moment.
    var id: String { self.eventID ?? self.credentialID ?? self.requestID ?? "" }

    enum CodingKeys: String, CodingKey {
        case at, kind, generation, code, source, actor, from, to, epoch, worker
        case requestID = "request_id"
        case callMilliseconds = "call_ms"
        case waitedMilliseconds = "waited_ms"
        case httpStatus = "http_status"
        case providerRequestID = "provider_request_id"
        case eventID = "event_id"
        case deliveryID = "delivery_id"
        case credentialID = "credential_id"
    }
}

/// What a step was. The order of the cases is that of steps of the same moment.
package enum TimelineKind: String, Sendable, CaseIterable, Codable, Comparable {
    case eventAccepted = "event.accepted"
    case eventDuplicate = "event.duplicate"
    case eventSuperseded = "event.superseded"
    case eventWaiting = "event.waiting"
    case eventIgnored = "event.ignored"
    case eventQuarantined = "event.quarantined"
    case actionRevoke = "action.revoke"
    case actionReopen = "action.reopen"
    case actionRotate = "action.rotate"
    case actionRetry = "action.retry"
    case jobQueued = "job.queued"
    case jobClaimed = "job.claimed"
    case jobWaits = "job.waits"
    case jobInDoubt = "job.in_doubt"
    case providerCreate = "provider.create"
    case providerLook = "provider.look"
    case providerDelete = "provider.delete"
    case providerRefused = "provider.refused"
    case jobGivenUp = "job.given_up"
    case jobEnded = "job.ended"
    case credentialActive = "credential.active"
    case credentialMissing = "credential.missing"
    case credentialClosing = "credential.closing"
    case credentialDeleted = "credential.deleted"
    case surplusFound = "surplus.found"
    case surplusDeleted = "surplus.deleted"
    case tokenFirst = "token.first"
    case tokenLast = "token.last"

    /// A word of a newer service is shown as a step of the job.
    package init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        self = Self(rawValue: word) ?? .jobWaits
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }

    /// What a transition of a job was. `hasCall`: the provider was asked for it, and gave this status or none.
    init(from: String, to: String, hasCall: Bool, status: Int32?) {
        switch (from, to) {
        // A create that worked ends otherwise, so this was a delete. Another goal of the user is next.
        case ("armed", "queued"), ("armed", "scheduled"), ("armed", "dead"):
            if let status, (200..<300).contains(status) {
                self = .providerDelete
            } else {
                self = to == "dead" ? .jobGivenUp : to == "queued" ? .jobQueued : hasCall ? .providerRefused : .jobWaits
            }
        case (_, "owned"): self = from == "looking" ? .providerLook : .providerCreate
        case (_, "dead"): self = .jobGivenUp
        case (_, "ended"): self = hasCall ? .providerDelete : .jobEnded
        case (_, "in_doubt"): self = from == "looking" ? .providerLook : .jobInDoubt
        case ("looking", "armed"): self = .providerLook
        case (_, "armed"), (_, "looking"): self = .jobClaimed
        case (_, "queued"): self = .jobQueued
        case (_, "scheduled"): self = hasCall ? .providerRefused : .jobWaits
        default: self = .jobWaits
        }
    }
}
