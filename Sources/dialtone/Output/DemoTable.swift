// SPDX-License-Identifier: Apache-2.0
// The demo's result as a table with some commands to try, for people.

import Composition
import Model

enum DemoTable {
    static func show(_ report: DemoReport) {
        Terminal.show(
            table: ["TENANT", "USER", "TAG", "SIP USERNAME", "202 TO CREDENTIAL"],
            report.rows.map { row in
                [
                    row.user.tenant.rawValue, row.user.user.rawValue, row.tag, row.sipUsername,
                    "\(Int(row.milliseconds.rounded())) ms",
                ]
            },
            flexible: [3, 1], spare: [2])
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

              curl -s -H 'Authorization: Bearer \(Demo.providerKey)' \(report.provider)/control/counts
            """)
    }
}
