// SPDX-License-Identifier: Apache-2.0
// `dialtone user`: shows the users of a tenant and the life of one, and changes what one has.

import ArgumentParser
import Composition
import Model

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "The users of a tenant.",
        subcommands: [
            UserListCommand.self, UserShowCommand.self, UserWaitCommand.self, UserVerifyCommand.self, Retry.self,
            Rotate.self, Revoke.self, Reopen.self, UserEraseCommand.self,
        ])

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tries again for a user who failed, or now for one who waits; looks at the provider first.")

        @OptionGroup var named: NamedUser

        func run() async throws {
            try self.named.show(try await Acting.administration().retry(try self.named.key))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replaces a user's credential by a new one.",
            discussion: """
                The old one serves until the new one is there, and for the overlap after that; then it is deleted, and \
                with it every login token made from it.

                  dialtone user rotate u-1 --tenant acme --overlap 24h
                """)

        @OptionGroup var named: NamedUser
        @Option(help: "How long the old credential stays, such as 30s, 10m or 24h. Default: DIALTONE_ROTATION_OVERLAP.")
        var overlap: String?

        func run() async throws {
            let overlap = try self.overlap.map { text in
                guard let overlap = Settings.duration(text) else {
                    throw InvalidValue("--overlap", "must be a time such as 30s, 10m or 24h")
                }
                return overlap
            }
            let administration = try await Acting.administration()
            let line = try await administration.rotate(try self.named.key, overlap: overlap)
            try self.named.show(
                line, "gets a new credential; the old one serves until then, and for the overlap")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a user's credential away, at the provider too.",
            discussion: """
                A later sign-up with a timestamp makes a new one; when your sender gives none, dialtone user reopen does.
                """)

        @OptionGroup var named: NamedUser

        func run() async throws {
            try self.named.show(try await Acting.administration().revoke(try self.named.key))
        }
    }

    struct Reopen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a user who was revoked a credential again, as a sign-up would that came now.")

        @OptionGroup var named: NamedUser

        func run() async throws {
            try self.named.show(try await Acting.administration().reopen(try self.named.key))
        }
    }
}
