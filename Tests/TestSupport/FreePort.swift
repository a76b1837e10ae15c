// SPDX-License-Identifier: Apache-2.0
// Finds a free port for a server that must be told its port before it starts.

import Glibc

package enum FreePort {
    /// Returns a port of 127.0.0.1 that was free a moment ago.
    package static func find() throws -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0
            } ? Int(pointer.pointee.sin_port.bigEndian) : 0
        }
        guard port != 0 else { throw NoFreePort() }
        return port
    }

    package struct NoFreePort: Error {}
}
