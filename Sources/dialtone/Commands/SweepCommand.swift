// SPDX-License-Identifier: Apache-2.0
// `dialtone sweep`: compares the ledger with the provider once, and repairs what differs.

import ArgumentParser
import Composition
import Model

struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Lists every tag at the provider, holds it against the ledger, and puts right what differs.",
        discussion: """
            The workers visit one tag after another by themselves; this lists them all now. It says first how many \
            calls that takes, begins while the workers' visits rest too, and returns when its deletes are done. \
            Deleted are second credentials of a user and those of users who are gone. A credential that is missing at the provider is asked for twice, 40 s apart by default, before \
            its user gets another. Names the ledger does not know are only counted; with --delete-unknown they go two \
            minutes later. A tag where more than 5 credentials, and more than 1 in 100, would change that way is left \
            alone unless --yes is given. When nothing at all of what the ledger has is there, the key may be of another \
            organisation: nothing is concluded, unless --believe-missing is given.

              dialtone sweep --dry-run         what would be done
              dialtone sweep --tenant acme     one tenant only
              dialtone sweep status            how far the workers are, and what waits
            """,
        subcommands: [Status.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how far the workers are with it, and what waits for you. Asks the provider nothing.")
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let status = try await Acting.reading().sweepStatus()
            if self.json { return try Terminal.show(json: status) }
            for line in status.lines { Terminal.show(line) }
        }
    }

    @Flag(help: "Only look; change nothing.") var dryRun = false
    @Option(help: "Only this tenant.") var tenant: String?
    @Flag(help: "Go on where more would change than a sweep may by itself.") var yes = false
    @Flag(help: "Delete what bears this installation's name for nobody the ledger knows. Look with --dry-run first.")
    var deleteUnknown = false
    @Flag(help: "What is missing is gone, although nothing is there to prove that this is the right account.")
    var believeMissing = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        var options = SweepOptions()
        options.believesAbsence = self.believeMissing
        options.isDryRun = self.dryRun
        options.tenant = try self.tenant.map { try TenantID($0) }
        options.isConfirmed = self.yes
        options.deletesStrays = self.deleteUnknown
        let report = try await Acting.administration().sweep(options) { Terminal.tell($0) }
        if self.json {
            try Terminal.show(json: report)
        } else {
            for (what, count) in report.lines { Terminal.show("\(what): \(count)") }
            for name in report.strayNames { Terminal.show("  unknown: \(VisibleText.escaped(name))") }
        }
        guard report.stopped.isEmpty else {
            Terminal.tell(
                "dialtone: too much would change in \(report.stopped.joined(separator: ", ")); look with --dry-run, then --yes"
            )
            throw ExitCode(1)
        }
        guard report.failedLists == 0 else {
            Terminal.tell(
                "dialtone: \(report.failedLists) lists failed at the provider, the last because: \(report.failure ?? "unknown")"
            )
            throw ExitCode(1)
        }
        guard report.isPlausible && report.unproven == 0 else {
            Terminal.tell(
                "dialtone: the provider knows nothing of what the ledger has; is TELNYX_API_KEY of another organisation?"
            )
            throw ExitCode(1)
        }
    }
}
