// SPDX-License-Identifier: Apache-2.0
// `dialtone user verify`: the proof that a user has exactly one credential.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct UserVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Proves that a user has exactly one credential: asks the provider too.",
        discussion: """
            Two calls at most, within the limits, and nothing is changed. With --ledger the provider is not asked.

              dialtone user verify ada

            The exit code is 0 for exactly_one and none_as_wanted, and 6 for any other verdict.
            """)

    @OptionGroup var asked: AskedOfUser
    @Flag(help: "Only what the ledger says.") var ledger = false

    func run() async throws {
        let proof = try await self.asked.ask { questions, user in
            let found = self.ledger ? try await questions.proof(user) : try await questions.verify(user)
            guard let found else { throw UnknownUser(user: user, why: try? await questions.why(user)) }
            return found
        }
        if self.asked.json { try Terminal.show(json: proof) } else { Terminal.show(Self.text(proof)) }
        guard [.exactlyOne, .noneAsWanted].contains(proof.verdict) else { throw ExitCode(6) }
    }

    private static func text(_ proof: Proof) -> String {
        let history = proof.history
        var lines = [
            "\(Self.words(proof)) (\(proof.verdict.rawValue), \(RFC3339.text(proof.observedAt)))"
        ]
        if let own = proof.ledger {
            let seen = own.seenAt.map { ", tag listed \(RFC3339.text($0))" } ?? ""
            lines.append("  ledger    \(own.credentialID), generation \(own.generation), tag \(own.tag)\(seen)")
            lines.append("  name      \(own.name)")
            if let end = own.expiresAt {
                lines.append("  \(end <= proof.observedAt ? "ended" : "ends ")     \(RFC3339.text(end))")
            }
        } else {
            lines.append("  ledger    no credential")
        }
        if let asked = proof.provider {
            let byID = Self.byID(asked, hasID: proof.ledger != nil)
            let calls = asked.calls == 1 ? "1 call" : "\(asked.calls) calls"
            lines.append("  provider  \(byID), \(Self.byName(asked)) (\(calls), \(asked.milliseconds) ms)")
        }
        lines.append(
            """
              history   creates sent: \(history.creates), without a clear answer: \(history.answersLost), looks: \
            \(history.looks), extra found: \(history.extraFound), of these deleted: \(history.extraDeleted)
            """)
        return lines.joined(separator: "\n")
    }

    private static func byID(_ asked: Proof.Asked, hasID: Bool) -> String {
        guard let status = asked.byID else { return hasID ? "by id no answer" : "no id to ask for" }
        if status == 404 { return "by id not found" }
        if asked.isExpired == true { return "by id found, and it has expired" }
        switch asked.hasName {
        case true?: return "by id found"
        case false?: return "by id found, and it has another name"
        case nil: return "by id found, and it shows no name"
        }
    }

    private static func byName(_ asked: Proof.Asked) -> String {
        guard let names = asked.byName else { return "by name no answer" }
        let expired = asked.expiredByName?.count ?? 0
        return "by name \(names.count) found" + (expired == 0 ? "" : ", of these expired: \(expired)")
    }

    private static func words(_ proof: Proof) -> String {
        switch proof.verdict {
        case .exactlyOne: "exactly one credential"
        case .noneAsWanted: "no credential, as wanted"
        case .missing: "no credential that serves, and one is wanted"
        case .extra: "a credential too many"
        case .unknown: "it cannot be said now: \(Self.doubt(proof))"
        }
    }

    private static func doubt(_ proof: Proof) -> String {
        guard let asked = proof.provider else { return "a create is under way or in doubt" }
        if asked.byName == nil || proof.ledger != nil && asked.byID == nil { return "the provider gave no answer" }
        if asked.byID == 200 && asked.hasName != true { return "the provider shows another name, or none" }
        return "a create is under way or in doubt, or the user has changed meanwhile"
    }
}
