// SPDX-License-Identifier: Apache-2.0
// Only addresses of the public internet count as public, at both ends of every range that does not.

import Foundation
import Testing

@testable import Intake

@Suite struct PublicAddressTests {
    private func isPublic(_ text: String) throws -> Bool {
        let isNew = text.contains(":")
        var bytes = [UInt8](repeating: 0, count: isNew ? 16 : 4)
        try #require(inet_pton(isNew ? AF_INET6 : AF_INET, text, &bytes) == 1, "\(text)")
        return PublicAddress.isPublic(bytes)
    }

    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
        "127.0.0.0", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
        "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255",
        "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
        "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
    ])
    func `an IPv4 address of a special range is not public`(address: String) throws {
        #expect(try !self.isPublic(address))
    }

    @Test(arguments: [
        "1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255",
    ])
    func `an IPv4 address beside a special range is public`(address: String) throws {
        #expect(try self.isPublic(address))
    }

    @Test(arguments: [
        "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:0:0", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8",
        "100::", "100::1", "1fff:ffff::", "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1ff:ffff::",
        "2001:10::", "2001:20::", "2001:db8::", "2001:db8:ffff::", "2002::", "2002:7f00:1::", "2002:808:808::",
        "3fff::", "3fff:fff::", "4000::", "5f00::", "fbff::", "fc00::", "fd00::1", "fdff::", "fe80::1",
        "febf:ffff::", "fec0::", "feff::", "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ])
    func `an IPv6 address of a special range is not public`(address: String) throws {
        #expect(try !self.isPublic(address))
    }

    @Test(arguments: [
        "2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1111",
        "2a00::1", "3ffe:ffff::", "3fff:1000::", "64:ff9b::8.8.8.8",
    ])
    func `an IPv6 address beside a special range is public`(address: String) throws {
        #expect(try self.isPublic(address))
    }

    @Test func `what is no address is not public`() {
        for count in [0, 1, 3, 5, 8, 15, 17, 32] {
            #expect(!PublicAddress.isPublic([UInt8](repeating: 8, count: count)))
        }
    }
}
