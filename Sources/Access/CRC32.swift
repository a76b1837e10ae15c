// SPDX-License-Identifier: Apache-2.0
// The checksum of an API key.

/// CRC-32 as in ISO 3309 and zlib (polynomial 0xEDB88320, reflected).
enum CRC32 {
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
