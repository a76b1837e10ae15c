// SPDX-License-Identifier: Apache-2.0
// Finds a free port for a server that must be told its port before it starts.

import Glibc
import Synchronization

package enum FreePort {
    /// Below the range from which Linux takes ports of outgoing connections (ip(7)). Else a connection of another test
    /// could have the port before the server does.
    private static let candidates = 20_000..<32_000
    private static let given = Mutex<Set<Int>>([])

    /// Returns a port that was free on all addresses a moment ago. This process gets each port once.
    package static func find() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: Self.candidates)
            guard Self.given.withLock({ $0.insert(port).inserted }) else { continue }
            if Self.isFree(port) { return port }
        }
        throw NoFreePort()
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = 0
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    package struct NoFreePort: Error {}
}
