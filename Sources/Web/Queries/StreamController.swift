// SPDX-License-Identifier: Apache-2.0
// What happens in a tenant, as it happens: server-sent events for `dialtone tail`, which goes on where it was cut off.

import Directory
import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import ServiceLifecycle

/// The form is that of the WHATWG's HTML standard, section 9.2: `id`, `event`, `data`, and comments as a heartbeat.
struct StreamController: Sendable {
    let queries: Queries
    /// How often the log is asked, and how long a silent stream waits for a heartbeat.
    var pace: Duration = .seconds(1)
    var beat: Duration = .seconds(15)
    private let open = OpenStreams()

    init(queries: Queries) { self.queries = queries }

    func tail(_ asked: TenantRequest) async throws -> Response {
        guard let place = self.open.enter(asked.tenant) else {
            throw Problem(
                429, "too_many_requests", "The tenant or this process has as many streams as it may have.",
                retryAfter: 30)
        }
        let start = try await self.start(asked)
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // nginx: hand each event on at once.
        headers.set("x-accel-buffering", "no")
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await self.write(asked, from: start, to: &writer)
                withExtendedLifetime(place) {}
            })
    }

    /// A client that was cut off names the last id that it has had, of an hour ago at most.
    private func start(_ asked: TenantRequest) async throws -> NewsPlace {
        let now = try await self.queries.news.now(as: asked.reader)
        if let last = HTTPField.Name("last-event-id").flatMap({ asked.request.headers[$0] }) {
            guard let number = Int64(last), number >= 0 else {
                throw Problem(400, "invalid_value", "Last-Event-ID must be the id of an event of this stream")
            }
            return min(max(NewsPlace(microseconds: number), now.anHourBefore), now)
        }
        return now
    }

    /// Writes until the client leaves, the key ends or the process stops.
    ///
    /// Cancelled here: the stream ends, and its client comes back with the last id.
    @concurrent
    private func write(
        _ asked: TenantRequest, from start: NewsPlace, to writer: inout any ResponseBodyWriter
    ) async throws {
        var told = News.Told(from: start)
        var (silence, unchecked) = (Duration.zero, Duration.zero)
        try await writer.write(ByteBuffer(string: ": dialtone\n\n"))
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let news = try await self.next(asked, after: told)
            let items = news.items
            told = news.told
            for item in items { try await writer.write(ByteBuffer(bytes: try Self.event(item))) }
            silence = items.isEmpty ? silence + self.pace : .zero
            if silence >= self.beat {
                try await writer.write(ByteBuffer(string: ": beat\n\n"))
                silence = .zero
            }
            unchecked += self.pace
            if unchecked >= self.beat {
                // A key that was revoked reads no further.
                guard (try? await asked.keyed.isStillOpen()) ?? true else { break }
                unchecked = .zero
            }
            if items.count < News.mostPerAnswer / 2 { try await Task.sleep(for: self.pace) }
        }
        try await writer.finish(nil)
    }

    /// Reads what is new. A caller who leaves ends it: who is far behind has many statements before the first item.
    private func next(
        _ asked: TenantRequest, after told: News.Told
    ) async throws -> (items: [NewsItem], told: News.Told) {
        let news = self.queries.news
        return try await CallerPresence.required { () async throws -> (items: [NewsItem], told: News.Told) in
            var reading = told
            let items = try await news.next(of: asked.tenant, after: &reading, as: asked.reader)
            return (items, reading)
        }
    }

    private struct Told: Encodable {
        var userID: String
        var step: TimelineEntry

        enum CodingKeys: String, CodingKey {
            case step
            case userID = "user_id"
        }
    }

    private static func event(_ item: NewsItem) throws -> Data {
        var data = Data("id: \(item.place.microseconds)\nevent: \(item.entry.kind.rawValue)\ndata: ".utf8)
        data += try JSONOutput.data(Told(userID: item.user, step: item.entry))
        return data + Data("\n\n".utf8)
    }
}
