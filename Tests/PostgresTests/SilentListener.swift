// SPDX-License-Identifier: Apache-2.0
// A server that takes connections and stays silent, for the tests of connect timeouts.

import Glibc
import Testing

/// A listening socket on loopback that never accepts. The kernel completes the TCP handshakes nevertheless.
final class SilentListener {
    let port: Int
    private let socket: Int32

    init() throws {
        self.socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = self.socket
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) + listen(socket, 8) + getsockname(socket, address, &length)
            }
        }
        try #require(status == 0)
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(self.socket) }
}
