// SPDX-License-Identifier: Apache-2.0
// Asks the API one request after another, and says how long each took.

import Foundation
import FoundationNetworking

struct APIClient {
    let port: Int
    let key: String
    private let session = URLSession(configuration: .ephemeral)

    init(port: Int, key: String) {
        self.port = port
        self.key = key
    }

    private func request(_ path: String) throws -> URLRequest {
        guard let url = URL(string: "http://127.0.0.1:\(self.port)\(path)") else { throw BenchError.refused(path) }
        var request = URLRequest(url: url)
        request.setValue("Bearer \(self.key)", forHTTPHeaderField: "authorization")
        return request
    }

    /// Asks so many times, after five that warm the plans. Returns milliseconds.
    func time(_ path: String, times: Int, status: Int = 200) async throws -> QueryTimes.Query {
        var taken: [Double] = []
        for turn in 0..<times + 5 {
            let time = try await self.ask(path, status: status)
            if turn >= 5 { taken.append(time) }
        }
        return QueryTimes.Query(
            path: path, p50: taken.percentile(0.5).rounded2, p99: taken.percentile(0.99).rounded2)
    }

    /// Asks for two paths in turn, so many times each after five that warm up. Returns the medians in milliseconds.
    func timeInTurn(_ one: String, _ other: String, times: Int, status: Int) async throws -> (Double, Double) {
        var taken: (one: [Double], other: [Double]) = ([], [])
        for turn in 0..<times + 5 {
            let (first, second) = (try await self.ask(one, status: status), try await self.ask(other, status: status))
            guard turn >= 5 else { continue }
            taken.one.append(first)
            taken.other.append(second)
        }
        return (taken.one.percentile(0.5), taken.other.percentile(0.5))
    }

    /// Asks for a page, and returns where the next one begins. Throws where there is none.
    func next(_ path: String) async throws -> String {
        let (data, response) = try await self.session.data(for: try self.request(path))
        guard (response as? HTTPURLResponse)?.statusCode == 200,
            let next = try JSONDecoder().decode(Page.self, from: data).next
        else { throw BenchError.refused(path) }
        return next
    }

    private struct Page: Decodable {
        var next: String?
    }

    /// Returns how long the answer took, in milliseconds.
    private func ask(_ path: String, status: Int) async throws -> Double {
        let request = try self.request(path)
        let start = ContinuousClock.now
        let (_, response) = try await self.session.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == status else { throw BenchError.refused(path) }
        return (ContinuousClock.now - start) / .milliseconds(1)
    }

    /// Reads a stream to its end with curl, which holds none of it. Returns its lines.
    func lines(_ path: String, accept: String) async throws -> Int {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "curl -sN -H \"authorization: Bearer $KEY\" -H \"accept: \(accept)\" \"$TARGET\" | wc -l",
        ]
        process.environment = [
            "KEY": self.key, "TARGET": "http://127.0.0.1:\(self.port)\(path)", "PATH": "/usr/bin:/bin",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let lines = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), lines > 0 else {
            throw BenchError.refused(path)
        }
        return lines
    }
}
