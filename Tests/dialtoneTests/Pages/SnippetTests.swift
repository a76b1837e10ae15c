// SPDX-License-Identifier: Apache-2.0
// Runs the code of the senders' pages, out of the pages' own text, against a service over HTTP.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct SnippetTests {
    @Test(arguments: ["standard", "cloudevents"])
    func `the page's lines in bash and Python sign users up`(name: String) async throws {
        try await PageVisit.with(name) { visit in
            try await visit.follow { visit, block in
                switch block.language {
                case "bash": try await visit.bash(block.text)
                case "python": try await visit.run(Python.path, [try visit.file("page.py", block.text)])
                default: break
                }
            }
            let users = name == "standard" ? ["u-bash", "u-python", "u-1"] : ["u-curl", "u-python"]
            try await visit.expect(users, "ready")
        }
    }

    @Test func `Cognito's function in Python signs a user up, and tells of a deletion`() async throws {
        try await PageVisit.with("cognito") { visit in
            try await visit.follow { visit, block in
                guard block.language == "python" else { return }
                let file = try visit.file("lambda_function.py", block.text)
                try await Self.callLambda(of: visit, [Python.path, PageVisit.programs.path + "/call.py", file])
            }
        }
    }

    @Test(.enabled(if: Node.path != nil, "Node is not installed"))
    func `Cognito's function in Node signs a user up, and tells of a deletion`() async throws {
        try await PageVisit.with("cognito") { visit in
            try await visit.follow { visit, block in
                guard block.language == "js" else { return }
                let file = try visit.file("index.mjs", block.text)
                try await Self.callLambda(
                    of: visit, [try #require(Node.path), PageVisit.programs.path + "/call.mjs", file])
            }
        }
    }

    @Test(.enabled(if: Node.path != nil, "Node is not installed"))
    func `Auth0's Action signs a user up`() async throws {
        try await PageVisit.with("auth0") { visit in
            try await visit.follow { visit, block in
                guard block.language == "js" else { return }
                let source = try #require(visit.sources.last)
                let event: [String: Any] = [
                    "secrets": ["HOOK": source.url, "DIALTONE_SOURCE_SECRET": source.secret],
                    "user": ["user_id": "auth0|u-action", "created_at": "2026-11-23T12:00:00.000Z"],
                ]
                try await visit.run(
                    try #require(Node.path),
                    [
                        PageVisit.programs.path + "/call.mjs", try visit.file("action.cjs", block.text),
                        "onExecutePostUserRegistration", try Self.json(event),
                    ])
                try await visit.expect(["auth0|u-action"], "ready")
            }
        }
    }

    @Test(.enabled(if: Node.path != nil, "Node is not installed"))
    func `the libraries' hooks sign users up`() async throws {
        try await PageVisit.with("libraries") { visit in
            for (name, text) in Self.libraries {
                let package = "{\"type\": \"module\", \"exports\": {\".\": \"./index.js\", \"./v1\": \"./index.js\"}}"
                _ = try visit.file("node_modules/\(name)/package.json", package)
                _ = try visit.file("node_modules/\(name)/index.js", text)
            }
            try await visit.follow { visit, block in
                guard block.language == "js" else { return }
                let isOurs = block.text.contains("function tellDialtone")
                let file = try visit.file(isOurs ? "dialtone.mjs" : "auth.mjs", block.text)
                if !isOurs { try await visit.run(try #require(Node.path), [file]) }
            }
            try await visit.expect(["u-better-auth", "u-next-auth", "u-firebase"], "ready")
            let visitors = try await visit.desk.database.admin.query(
                "select 1 from dialtone.users where user_id = 'u-visitor'")
            #expect(visitors.isEmpty, "a visitor is nobody")
        }
    }

    @Test func `the headers that the page makes in Swift prove a sign-up`() async throws {
        try await PageVisit.with("standard") { visit in
            try await visit.follow()
            let page = try #require(visit.page.blocks.first { $0.language == "swift" }).text
            let file = Page.repository.appendingPathComponent("Tests/dialtoneTests/Pages/StandardSnippet.swift")
            let compiled = try String(contentsOf: file, encoding: .utf8)
            #expect(compiled.hasSuffix("\n\n\(page)\n"), "the page's text is what is compiled here")

            let body = #"{"type":"user.created","data":{"user_id":"u-swift","tenant_id":"acme"}}"#
            let source = try #require(visit.sources.first)
            let fields = headers(proving: Data(body.utf8), secret: source.secret, at: Date())
            try await visit.run(
                "/usr/bin/curl",
                ["--fail", "--silent", "--show-error", "--noproxy", "*", source.url, "--data-raw", body]
                    + fields.flatMap { ["--header", "\($0.key): \($0.value)"] })
            try await visit.expect(["u-swift"], "ready")
        }
    }

    // MARK: The libraries' stand-ins

    /// They call the hooks as the libraries do when somebody signs up.
    private static let libraries = [
        "better-auth": """
        export const betterAuth = (options) => {
          options.databaseHooks.user.create.after({ id: 'u-better-auth', email: 'mira@example.com' }, {})
          return { options }
        }
        """,
        "next-auth": """
        export default function NextAuth(config) {
          config.events.createUser({ user: { id: 'u-next-auth', email: 'mira@example.com' } })
          return { handlers: {}, auth: {} }
        }
        """,
        "firebase-functions": """
        const call = (user, f) => f({ email: 'mira@example.com', ...user })
        export const auth = {
          user: () => ({
            onCreate: (f) => [
              call({ uid: 'u-firebase', providerData: [{ providerId: 'password' }] }, f),
              call({ uid: 'u-visitor', providerData: [] }, f),
            ],
            onDelete: (f) => f,
          }),
        }
        """,
    ]

    // MARK: Cognito

    /// Calls the function as Cognito does after a sign-up, and as EventBridge does after a deletion.
    private static func callLambda(of visit: PageVisit, _ call: [String]) async throws {
        let user = "b3c40000-0000-4000-8000-000000000001"
        for (file, status) in [("ConfirmSignUp", "ready"), ("cloudtrail.AdminDeleteUser", "revoked")] {
            let event = try String(
                contentsOf: Page.repository.appendingPathComponent(
                    "Tests/IntakeTests/Fixtures/senders/cognito/\(file).json"), encoding: .utf8)
            try #require(event.contains(user))
            try await visit.run(call[0], Array(call.dropFirst()) + ["handler", event])
            try await visit.expect([user], status)
        }
    }

    private static func json(_ object: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }
}
