// SPDX-License-Identifier: Apache-2.0
// The form of a line that a command prints, and the lines about migrations, the installation, limits and the sweep.
//
// A line knows both of its forms: the members of a JSON object, and the cells of a table. The command line therefore
// needs no types of the rooms behind it.

import Foundation
package import Model
import Onboarding
import ProviderLimits
import Schema

/// One line of a listing. Its members of JSON are its encoded members.
package protocol Line: Encodable, Sendable {
    static var heading: [String] { get }
    var cells: [String] { get }
    /// Columns that may be cut on a narrow terminal.
    static var flexible: [Int] { get }
    /// Columns that a narrow terminal does not show, in the order in which they go.
    static var spare: [Int] { get }
}

extension Line {
    package static var flexible: [Int] { [] }
    package static var spare: [Int] { [] }
}

package struct MigrationLine: Line {
    package var version: Int32
    package var name: String
    @OrNull package var applied_at: String?

    package static let heading = ["VERSION", "NAME", "APPLIED"]
    package var cells: [String] { ["\(self.version)", self.name, self.applied_at ?? "pending"] }

    init(_ migration: Migration, appliedAt: Date? = nil) {
        self.version = migration.version
        self.name = migration.name
        self.applied_at = appliedAt.map(RFC3339.text)
    }
}

/// The state of this installation.
package struct InstallationLine: Encodable, Sendable {
    package let installation: String
    @OrNull package private(set) var last_change: String?
    /// Whether creates of some tenants look first, until their tags have been listed since the server changed.
    package let looks_first: Bool
    /// Whether nothing is deleted until an operator has confirmed which installation this is.
    package let needs_confirmation: Bool

    init(_ state: InstallationState) {
        self.installation = state.id.lowercase
        self.last_change = state.change
        self.looks_first = state.looksFirst
        self.needs_confirmation = state.isStopped
    }
}

/// The limits that hold calls back, for the account, one connection or a kind of call.
package struct LimitLine: Line, Decodable {
    /// `account`, `connection:<id>`, or `kind:<kind>` for the pause of a kind of call.
    package var scope: String
    /// Calls per second that were set; of a connection, creates.
    @OrNull package var rate: Double?
    /// Calls per second that the provider's replies tell.
    @OrNull package var learned_rate: Double?
    /// `closed`, `open` or `half_open`.
    package var breaker: String
    @OrNull package var reason: String?
    /// Nil when calls may go now.
    @OrNull package var wait_seconds: Int?

    package static let heading = ["SCOPE", "RATE", "BREAKER", "WAITS", "WHY"]
    package static let flexible = [4]
    package var cells: [String] {
        [
            self.scope, self.rateInWords, self.breaker, self.wait_seconds.map { "\($0) s" } ?? "", self.reason ?? "",
        ]
    }

    private var rateInWords: String {
        if let rate { return "\(rate)/s" }
        return self.learned_rate.map { "\(($0 * 10).rounded() / 10)/s (told)" } ?? ""
    }

    init(_ limit: ProviderLimit) {
        self.scope = limit.scope
        self.rate = limit.rate
        self.learned_rate = limit.learnedRate
        self.breaker = limit.breaker
        self.reason = limit.reason
        self.wait_seconds = limit.waitSeconds.map { Int($0.rounded(.up)) }
    }

    init(connection: String, rate: Double?) {
        self.scope = "connection:\(connection)"
        self.rate = rate
        self.learned_rate = nil
        self.breaker = "closed"
        self.reason = nil
        self.wait_seconds = nil
    }
}

extension SweepReport {
    /// Each count with its words, in the order in which they matter to an operator.
    package var lines: [(String, Int)] {
        [
            ("tags", self.tags), ("credentials listed", self.listed), ("surplus found", self.surplus),
            ("surplus deleted", self.surplusDeleted), ("told to look", self.evidence),
            ("deletes to do again", self.reopened), ("missing, not yet certain", self.missing),
            ("replaced by a new one", self.reprovisioned), ("missing, with nothing else there", self.unproven),
            ("users without a job", self.enqueued),
            ("unknown names of ours", self.strays), ("… deleted", self.straysDeleted),
            ("names of others", self.foreign),
        ]
    }
}
