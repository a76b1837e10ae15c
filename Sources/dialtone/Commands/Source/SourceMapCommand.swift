// SPDX-License-Identifier: Apache-2.0
// `dialtone source map`: which of a sender's organisations is which tenant.

import ArgumentParser
import Composition
import Model

struct SourceMapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Which of a sender's organisations is which tenant.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Maps an organisation to a tenant, for what is said of it from now on.",
            discussion: """
                  dialtone source map add clerk org_2qAcme acme
                  dialtone source map add clerk org_2qOther --ignore
                  dialtone source map add clerk --file organizations.txt

                A line of the file has an organisation and its tenant, or - to ignore it.
                """)

        @OptionGroup var named: NamedSource
        @Argument(help: "The sender's own id of the organisation.") var organization: String?
        @Argument(help: "The tenant.") var target: String?
        @Flag(help: "Ignore what is said of it.") var ignore = false
        @Option(help: "A file with a line for each organisation; - reads standard input.") var file: String?

        func validate() throws {
            if self.file != nil {
                guard self.organization == nil, !self.ignore else {
                    throw ValidationError("give either an organisation or --file")
                }
            } else {
                guard self.organization != nil else { throw ValidationError("give an organisation, or --file") }
                guard (self.target != nil) != self.ignore else {
                    throw ValidationError("give either a tenant or --ignore")
                }
            }
        }

        func run() async throws {
            let administration = try await Acting.administration()
            let (source, owner) = (self.named.source, try self.named.tenant)
            if let file = self.file {
                let lines = try FileArgument.read(file, option: "--file")
                for line in try await administration.mapOrganizations(inFile: lines, of: source, tenant: owner) {
                    Terminal.show(line)
                }
            } else if let organization = self.organization {
                let target = try self.target.map { try TenantID($0) }
                Terminal.show(
                    try await administration.mapOrganization(organization, to: target, of: source, tenant: owner))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a source's organisations and their tenants, and those that are not mapped.",
            discussion: """
                MEMBERS are people who are members now, by what the sender has told. UNBOUND are those of them who belong
                to no tenant, because they came before the organisation was mapped: they have no user. QUARANTINED are
                its events that wait.
                """)

        @OptionGroup var named: NamedSource
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try Terminal.show(
                try await Acting.reading().mappedOrganizations(
                    of: self.named.source, tenant: try self.named.tenant), json: self.json)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes an organisation out of the table, while nobody is a member of it.",
            discussion: """
                It waits until statements from before have ended, for half a minute at most. What is said of the
                organisation comes into quarantine from then on.
                """)

        @OptionGroup var named: NamedSource
        @Argument(help: "The sender's own id of the organisation.") var organization: String

        func run() async throws {
            try await Acting.administration().unmapOrganization(
                self.organization, of: self.named.source, tenant: try self.named.tenant)
            Terminal.show("\(self.organization) is not mapped any more")
        }
    }
}
