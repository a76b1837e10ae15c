// SPDX-License-Identifier: Apache-2.0
// `dialtone demo`: the whole story with nothing to set up.

import ArgumentParser
import Composition
import Dispatch
import Foundation
import Model
import Synchronization

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows the whole story on this machine, with a database and a provider of its own.",
        discussion: """
            Starts a private PostgreSQL, a simulated provider and the service; signs and sends sign-ups for two tenants;
            shows every user's credential and one login token; then stays up for you to try it. Ctrl-C ends it.
            """)

    @Flag(help: "End after the table.") var once = false
    @Flag(help: "Print one JSON object instead of the table.") var json = false
    @Option(help: "How many users sign up, over both tenants.") var users = 12
    @Option(help: "Where the database is kept.") var dataDir = ".dialtone/demo"
    @Option(help: "Where to listen, as host:port. Default: 127.0.0.1:8080, or any free port.") var listen: String?

    func validate() throws {
        guard (1...100_000).contains(self.users) else { throw ValidationError("--users must be from 1 to 100000") }
        if let listen, Settings.address(listen) == nil { throw ValidationError("--listen must be host:port") }
    }

    func run() async throws {
        var options = Demo.Options()
        options.users = self.users
        options.folder = self.dataDir
        options.listen = self.listen
        let (once, json, chosen) = (self.once, self.json, options)
        try await Interruption.run { interruption in
            try await Demo(chosen, progress: { Terminal.tell($0) }).run { report in
                if json { try Terminal.show(json: DemoOutput(report)) } else { DemoTable.show(report) }
                guard report.isComplete else { throw DemoError.incomplete }
                if !once {
                    if !json { DemoTable.showWhatToTry(report) }
                    await interruption.wait()
                    Terminal.tell("stopping; the data stays in \(chosen.folder)")
                }
            }
        }
    }
}

/// SIGINT and SIGTERM, as an end of waiting when the work waits for them, and else as cancellation of the work.
struct Interruption: Sendable {
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let isAwaited: Flag

    private final class Flag: Sendable { let value = Atomic(false) }

    /// Runs work until it ends or a signal comes; what a signal ends has ended well.
    static func run(_ work: @escaping @Sendable (Interruption) async throws -> Void) async throws {
        let (signals, signal) = AsyncStream<Void>.makeStream()
        let interruption = Interruption(signals: signals, signal: signal, isAwaited: Flag())
        // Unstructured, because a signal must be able to cancel it.
        let task = Task { try await work(interruption) }
        let sources = [SIGINT, SIGTERM].map { number in
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if interruption.isAwaited.value.load(ordering: .relaxed) { signal.yield() } else { task.cancel() }
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            try await task.value
        } catch {
            if task.isCancelled { return }
            throw error
        }
    }

    /// Returns at the next signal. Cancelled here: returns.
    func wait() async {
        self.isAwaited.value.store(true, ordering: .relaxed)
        for await _ in self.signals { return }
    }
}

/// The demo's result for programs.
private struct DemoOutput: Encodable {
    struct Latency: Encodable {
        var p50: Double
        var p99: Double
    }
    struct Token: Codable {
        var login_token: String
        var sip_username: String
        var expires_at: String
        var refresh_after: String
    }

    var users: Int
    var credentials: Int
    var provider_ids: Int
    var duplicates: Int
    var latency_ms: Latency
    var login_token: Token
    var address: String

    init(_ report: DemoReport) throws {
        self.users = report.rows.count
        self.credentials = report.credentials
        self.provider_ids = report.providerIDs
        self.duplicates = report.duplicates
        self.latency_ms = Latency(
            p50: (report.latency(0.5) * 10).rounded() / 10, p99: (report.latency(0.99) * 10).rounded() / 10)
        self.login_token = try JSONDecoder().decode(Token.self, from: Data(report.token.utf8))
        self.address = report.address
    }
}

private enum DemoTable {
    static func show(_ report: DemoReport) {
        Terminal.show(
            table: ["TENANT", "USER", "TAG", "SIP USERNAME", "202 TO CREDENTIAL"],
            report.rows.map { row in
                [
                    row.user.tenant.rawValue, row.user.user.rawValue, row.tag, row.sipUsername,
                    "\(Int(row.milliseconds.rounded())) ms",
                ]
            })
        Terminal.show("")
        Terminal.show(
            "\(report.credentials) credentials, \(report.providerIDs) distinct at the provider, "
                + "\(report.duplicates) duplicates. Latency p50 \(Int(report.latency(0.5))) ms, "
                + "p99 \(Int(report.latency(0.99))) ms.")
        Terminal.show("A login token handed off: \(report.token)")
    }

    static func showWhatToTry(_ report: DemoReport) {
        guard let customer = report.customers.first else { return }
        Terminal.show(
            """

            Everything stays up until Ctrl-C. Try:

              curl -s -H 'Authorization: Bearer \(customer.key.reveal())' \\
                '\(report.address)/v1/tenants/\(customer.tenant)/users?limit=3'

              curl -s -H 'Authorization: Bearer \(customer.key.reveal())' -H 'Content-Type: application/json' \\
                -d '{"user_id":"user-1"}' \(report.address)/v1/login-tokens

              \(CommandLine.arguments[0]) send --url \(customer.hookURL) \\
                --secret '\(customer.secret.reveal())' --tenant \(customer.tenant) --user somebody-new

              curl -s \(report.provider)/control/counts
            """)
    }
}
