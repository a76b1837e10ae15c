// SPDX-License-Identifier: Apache-2.0
// What became of a delivery, as the metric `dialtone_deliveries_total` names it.

import Intake
import Model
import Telemetry

extension DeliveryOutcome {
    init(_ result: Result<Receipt, IntakeError>) {
        switch result {
        case .success(let receipt): self.init(receipt.status)
        case .failure(let error): self.init(error)
        }
    }

    init(_ status: EventOutcome) {
        switch status {
        case .accepted: self = .accepted
        case .duplicate: self = .duplicate
        case .superseded: self = .superseded
        case .ignored: self = .ignored
        case .quarantined: self = .quarantined
        }
    }

    /// Of an error that ends a request to a hook. What nobody foresaw counts as `unavailable`: nothing was stored.
    init(_ error: any Error) {
        if let error = error as? IntakeError {
            self.init(error)
        } else if let problem = Problem(error), problem.status < 500 {
            self = problem.status == 413 ? .tooLarge : .badPayload
        } else {
            self = .unavailable
        }
    }

    init(_ error: IntakeError) {
        switch error {
        case .unknownHook: self = .unknownHook
        case .badProof: self = .badProof
        case .unusable(.tenantNotAllowed): self = .tenantNotAllowed
        case .unusable(.notJSON), .unusable(.wrongValue): self = .badPayload
        case .deliveryReused: self = .reused
        case .busy: self = .busy
        case .disabled, .unavailable, .tooManyUnknown, .keysUnavailable: self = .unavailable
        }
    }
}
