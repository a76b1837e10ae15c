// SPDX-License-Identifier: Apache-2.0
// One connection of the scripted server.

import NIOCore

/// Collects a head and as many bytes as the head announces, then takes the next step.
final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ScriptedServer
    private let greeting: String?
    private var number = 0
    private var text = ""

    init(_ server: ScriptedServer, greeting: String?) {
        self.server = server
        self.greeting = greeting
    }

    func channelActive(context: ChannelHandlerContext) {
        self.number = self.server.connect()
        if let greeting { self.say(greeting, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.text += String(buffer: self.unwrapInboundIn(data))
        guard let end = self.text.firstRange(of: "\r\n\r\n") else { return }
        let head = String(self.text[..<end.lowerBound])
        let body = String(self.text[end.upperBound...])
        let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
        guard body.utf8.count >= length ?? 0 else { return }
        self.text = ""
        switch self.server.take(.init(head: head, body: body, connection: self.number)) {
        case .say(let answer): self.say(answer, context)
        case .sayAndClose(let answer):
            self.say(answer, context)
            context.close(promise: nil)
        case .silence: break
        }
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
