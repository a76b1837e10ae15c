// SPDX-License-Identifier: Apache-2.0
// `dialtone open`: the service in a browser.

import ArgumentParser
import Composition
import Foundation
import Model

struct OpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Opens the service in a browser, or prints its URL.",
        discussion: "The browser is that of BROWSER. Without one the URL is printed.")

    @OptionGroup var by: AskedBy

    func run() async throws {
        let door = try await Door.choose(
            Door.Signs(url: self.by.url, profile: self.by.profile), environment: SecretVariables.environment,
            settings: { try await Settings.read() })
        guard let url = door.url else {
            throw InvalidValue("DIALTONE_URL", "is not set; a database cannot be opened in a browser")
        }
        let browser = ProcessInfo.processInfo.environment["BROWSER"] ?? ""
        guard !browser.isEmpty, !self.by.json else { return Terminal.show(url) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [browser, url]
        do { try process.run() } catch { return Terminal.show(url) }
        Terminal.tell("opened \(url)")
    }
}
