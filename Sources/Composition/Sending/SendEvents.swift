// SPDX-License-Identifier: Apache-2.0
// `dialtone send`: signs the events of one sender and sends them to a hook, as the sender would.

import AsyncHTTPClient
package import Foundation
import Intake
import Model
import NIOCore
import NIOHTTP1

package struct SendEvents: Sendable {
    private let order: SendOrder
    private let source: SentSource
    /// Nil for a source without a preset.
    private let samples: SampleEvents?
    private let signer: DeliverySigner
    /// The names of the events, in the order in which they are sent.
    package let names: [String]

    /// Throws where nobody could send what is asked for. Nothing is sent yet.
    package init(_ order: SendOrder) throws {
        guard let url = SentURL(order.url) else { throw InvalidValue("--url", "must be the URL of a hook") }
        self.order = order
        let source = try SentSource(preset: order.preset, configuration: order.configuration)
        self.source = source
        self.samples = try source.preset.map { (preset) throws(InvalidValue) in try SampleEvents(preset: preset) }
        self.names = try Self.names(order, self.samples)
        if source.proofs.needsSecret, order.secret == nil {
            throw InvalidValue("DIALTONE_SOURCE_SECRET", "is not set; or give --secret-file")
        }
        var signer = try DeliverySigner(source.proofs, secret: order.secret)
        guard !signer.showsSecret || url.isPrivate || order.fault == .forged else {
            throw InvalidValue("--url", "must be https: this sender sends the secret itself in a header")
        }
        if order.fault == .forged { signer = try signer.forging() }
        if order.fault == .stale, signer.staleTime(at: Date()) == nil {
            throw InvalidValue(
                "--stale", "is not possible: this sender signs no time, so that only the delivery's id stops a replay")
        }
        self.signer = signer
    }

    private static func names(_ order: SendOrder, _ samples: SampleEvents?) throws(InvalidValue) -> [String] {
        guard order.body == nil else { return ["the body"] }
        guard let samples else {
            throw InvalidValue("--body", "is needed: there is no sample of a source without a preset")
        }
        return try samples.names(of: order.event)
    }

    /// Whether the events take the user away.
    package var isTaking: Bool { self.order.body == nil && self.samples?.isTaking(self.order.event) == true }

    /// Sends each event as often as asked for. `told` gets each answer when it has come.
    package func run(now: Date, told: (SendAnswer) -> Void) async throws {
        // The sender's secret may stand in a header, which would go with a redirect.
        let http = HTTPClient(configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
        do {
            for (step, name) in self.names.enumerated() {
                let delivery = try self.delivery(name, step: step, now)
                for time in 1...self.order.times {
                    told(try await self.post(delivery, as: name, time, by: http))
                }
            }
            try await http.shutdown()
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func delivery(_ name: String, step: Int, _ now: Date) throws(InvalidValue) -> SignedDelivery {
        // Two deliveries under one id would count as one.
        let id = self.order.id.map { step == 0 ? $0 : "\($0)-\(step + 1)" }
        var draft: DeliveryDraft
        if let samples = self.samples, self.order.body == nil {
            let filling = SampleFilling(user: self.order.user, organization: self.order.organization, now: now) {
                UUID().uuidString.lowercased()
            }
            draft = samples.draft(of: name, id: id, filled: filling)
        } else {
            draft = DeliveryDraft(
                id: id ?? "msg_\(UUID().uuidString.lowercased())",
                headers: [(name: "content-type", value: "application/json")], body: self.order.body ?? [])
            if let samples = self.samples { draft.headerPrefix = samples.headerPrefix }
        }
        let own = self.order.headers
        draft.headers.removeAll { header in own.contains { $0.name.lowercased() == header.name.lowercased() } }
        draft.headers += own
        let time = self.order.fault == .stale ? self.signer.staleTime(at: now) ?? now : now
        return try self.signer.sign(draft, at: time)
    }

    private func post(
        _ delivery: SignedDelivery, as name: String, _ time: Int, by http: HTTPClient
    ) async throws -> SendAnswer {
        var request = HTTPClientRequest(url: self.order.url)
        request.method = .POST
        for (name, value) in delivery.headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: delivery.body))
        do {
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = String(buffer: try await response.body.collect(upTo: 65_536))
            let status = Int(response.status.code)
            return SendAnswer(
                event: name, time: time, status: status, body: body,
                outcome: self.source.outcome(status: status, body: body))
        } catch {
            throw NoAnswer(from: self.order.url, error)
        }
    }
}
