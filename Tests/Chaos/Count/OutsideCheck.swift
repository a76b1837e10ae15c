// SPDX-License-Identifier: Apache-2.0
// The same count by a program that shares nothing with Dialtone: SQL to the database, HTTP to the provider.

import Foundation

enum OutsideCheck {
    /// Runs `scripts/check-ledger` of this folder. Returns its findings; none when it agrees.
    static func findings(database: String, provider: String) throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "scripts/check-ledger")
        process.arguments = ["--cap", "\(Deployment.tagCapacity)", database, "\(provider)/v2"]
        process.environment = ProcessInfo.processInfo.environment.merging(["TELNYX_API_KEY": "chaos"]) { $1 }
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        struct Report: Decodable {
            var findings: [String]
            var agrees: Bool
        }
        guard let report = try? JSONDecoder().decode(Report.self, from: text) else {
            return ["scripts/check-ledger could not be run"]
        }
        return report.agrees == (process.terminationStatus == 0) ? report.findings : ["scripts/check-ledger failed"]
    }
}
