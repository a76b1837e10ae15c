// SPDX-License-Identifier: Apache-2.0
// `dialtone limit`: shows the limits that hold creates back at the provider, and sets the rate of one tenant.

import ArgumentParser
import Composition
import Model

struct LimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Rates, pauses and open breakers, of the account and of tenants' connections.",
        discussion: """
            A breaker opens when the provider refuses a key or a connection (401, 403), or rejects three users in a \
            row with the same code; it tries again by itself. The account's rate is DIALTONE_PROVIDER_RATE, or what the provider tells.
            """,
        subcommands: [List.self, Set.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists what is limited, paused or stopped now.")
        @OptionGroup var asked: AskedBy

        func run() async throws {
            let limits = try await self.asked.askOfSetUp { try await $0.limits() }
            try Terminal.show(limits, json: self.asked.json)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limits the creates of one tenant's connection, or takes the limit away.",
            discussion: """
                Tenants that share a connection share its rate, which is an upper bound. It holds within half a \
                second; who waits lines up anew.

                  dialtone limit set --tenant acme --rate 5
                """)

        @Option(help: "The tenant whose connection it is.") var tenant: String
        @Option(help: "Creates per second, for all nodes together.") var rate: Double?
        @Flag(help: "No limit.") var none = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (self.rate == nil) == self.none else { throw ValidationError("give either --rate or --none") }
            if let rate, !(rate > 0 && rate <= 100_000) {
                throw ValidationError("--rate must be above 0, at most 100000")
            }
        }

        func run() async throws {
            let tenant = try TenantID(self.tenant)
            let line = try await Acting.administration().setRate(self.rate, of: tenant)
            try Terminal.show([line], json: self.json)
        }
    }
}
