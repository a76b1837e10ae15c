// SPDX-License-Identifier: Apache-2.0
// The one line on standard output by which a script knows that a process is ready, and where it listens.

import Model
import ServiceLifecycle

/// `{"ready":true,"listen":"http://127.0.0.1:8080","status":"127.0.0.1:41231"}`. A member is left out when the process
/// has no such listener.
package struct ReadyLine: Sendable {
    /// The URL of the public listener.
    package var listen: String?
    /// Host and port of the status listener.
    package var status: String?

    package init(listen: String? = nil, status: String? = nil) {
        self.listen = listen
        self.status = status
    }

    package var text: String {
        let members = [("listen", self.listen), ("status", self.status)].compactMap { name, value in
            value.map { ",\"\(name)\":\(JSONText.quoted($0))" }
        }
        return "{\"ready\":true\(members.joined())}"
    }
}

/// Tells the ready line of a process without a listener. It is a service, because the group hears signals before it runs
/// its services: whoever reads the line may stop the process at once.
struct ReadyAtOnce: Service {
    let onReady: @Sendable (ReadyLine) async -> Void

    /// Ends with the group; a service that ends before stops the process.
    func run() async {
        await self.onReady(ReadyLine())
        try? await gracefulShutdown()
    }
}

/// Waits for the listeners that a process has, and tells the ready line once.
actor ReadyGate {
    private var line = ReadyLine()
    private var awaited: Int
    private let onReady: @Sendable (ReadyLine) async -> Void

    /// `awaited`: how many listeners there are.
    init(awaited: Int, onReady: @escaping @Sendable (ReadyLine) async -> Void) {
        self.awaited = awaited
        self.onReady = onReady
    }

    func listens(at address: String) async {
        self.line.listen = address
        await self.opened()
    }

    func showsStatus(at address: String) async {
        self.line.status = address
        await self.opened()
    }

    private func opened() async {
        self.awaited -= 1
        if self.awaited == 0 { await self.onReady(self.line) }
    }
}
