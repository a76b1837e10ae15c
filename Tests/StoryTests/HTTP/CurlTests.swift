// SPDX-License-Identifier: Apache-2.0
// curl as a client that asks for HTTP/2, speaks HTTP/1.0 or holds its body back.

import Foundation
import NIOHTTP1
import Testing

@Suite struct CurlTests {
    @Test func `curl that asks for HTTP/2 is answered twice on one connection`() async throws {
        try await Story.with { story in
            let url = story.address + "/healthz"
            let output = try await Self.curl(["--http2", "--write-out", "%{num_connects} %{http_code}\\n", url, url])
            #expect(output.contains("1 200\n") && output.contains("0 200\n"), "\(output)")
        }
    }

    @Test(arguments: [["--http2"], ["--http1.0"], ["--http1.1"], ["--http1.1", "--header", "Expect: 100-continue"]])
    func `a webhook that curl sends is stored`(options: [String]) async throws {
        try await Story.with { story in
            for user in ["routed", "fast"] {
                let webhook = try story.webhook(user)
                let fields = webhook.fields.split(separator: "\r\n").flatMap { ["--header", String($0)] }
                let output = try await Self.curl(
                    options + fields + ["--verbose", "--data-raw", webhook.body, story.hookURL])
                #expect(output.contains("\"status\":\"accepted\""), "\(user): \(output)")
                #expect(output.contains("100 Continue") == options.contains("Expect: 100-continue"), "\(output)")
            }
        }
    }

    /// Runs curl to its end, and returns what it has printed. A service that holds it up fails it after thirty
    /// seconds. curl would send a held body after one second by itself.
    private static func curl(_ arguments: [String]) async throws -> String {
        let program = try #require(
            ["/usr/bin/curl", "/usr/local/bin/curl"].first { FileManager.default.isExecutableFile(atPath: $0) },
            "run `make setup`, which installs curl")
        let (status, output) = try await OutsideProgram.run(
            URL(fileURLWithPath: program),
            ["--silent", "--noproxy", "*", "--max-time", "30", "--expect100-timeout", "20"] + arguments,
            collectsErrors: true)
        let text = String(decoding: output, as: UTF8.self)
        #expect(status == 0, "\(text)")
        return text
    }
}
