// SPDX-License-Identifier: Apache-2.0
// A visit's plan is carried out: each correction is a statement, or one transaction behind the user's lock.

import Foundation
import Model
import Postgres
import Queue
import Telnyx

extension TagVisit {
    /// Does what the plan says, what takes nothing away first. Returns how many second credentials it was the first to
    /// remember.
    ///
    /// Cancelled here: what is not done is planned again by the next visit.
    func carryOut(_ plan: TagPlan) async throws -> Int {
        try await self.lookAtEvidence(plan)
        for (id, row) in plan.expired {
            try await self.sweep.inOneTransaction(SweepCorrections.reprovision(row.user, id, .expired))
        }
        for (id, row) in plan.closed { try await self.sweep.inOneTransaction(SweepCorrections.close(row.user, id)) }
        for (id, user) in plan.reopened {
            try await self.sweep.inOneTransaction([UserLock.take(user), SweepCorrections.reopen(id)])
        }
        if !plan.reopenedSurplus.isEmpty {
            _ = try await self.sweep.pool.query(Self.deleteAgain(plan.reopenedSurplus))
        }
        try await self.markKnown(plan)
        try await self.rememberStrays(plan)
        // A sign-up may have come in between, and want this very generation. Its credential is no surplus then.
        var closed: [OwnedCredential] = []
        for found in plan.overtaken
        where try await self.sweep.inOneTransaction(SweepCorrections.overtake(found.owner)) > 0 {
            closed.append(found)
        }
        var remembered = 0
        for found in plan.proven + plan.surplus + closed {
            remembered += try await self.sweep.remember(
                found.credential.id, found.owner, tag: self.tag.tag, as: found.kind)
        }
        return remembered
    }

    private func lookAtEvidence(_ plan: TagPlan) async throws {
        for one in plan.evidence {
            try await self.sweep.inOneTransaction(SweepCorrections.makeLook(self.found(one)))
        }
        for one in plan.orphans { try await self.sweep.inOneTransaction(SweepCorrections.adopt(self.found(one))) }
        for one in plan.ahead { try await self.sweep.inOneTransaction(SweepCorrections.catchUp(self.found(one))) }
    }

    private func found(_ one: OwnedCredential) -> FoundCredential {
        FoundCredential(id: one.credential.id, owner: one.owner, tag: self.tag.tag)
    }

    /// The whole list marks the known: what is missing, what is there again, and what stands under another tag.
    private func markKnown(_ plan: TagPlan) async throws {
        for one in plan.missing { _ = try await self.sweep.pool.query(Self.missing(one.id, isMissing: true)) }
        for id in plan.found { _ = try await self.sweep.pool.query(Self.missing(id, isMissing: false)) }
        guard !plan.moved.isEmpty else { return }
        for statement in Self.retag(plan.moved, to: self.tag) { _ = try await self.sweep.pool.query(statement) }
    }

    private func rememberStrays(_ plan: TagPlan) async throws {
        let strays = plan.strays.map {
            Stray(id: $0.id, name: $0.name ?? "", tag: plan.isInexact ? nil : self.tag.tag)
        }
        if !strays.isEmpty { _ = try await self.sweep.pool.query(Stray.remember(strays)) }
        if !plan.vanishedStrays.isEmpty { _ = try await self.sweep.pool.query(Stray.forget(plan.vanishedStrays)) }
    }

    // MARK: Statements

    /// Notes since when an active credential is missing, or that it is there again. Index credentials_provider_id_key.
    private static func missing(_ id: ProviderID, isMissing: Bool) -> SQL {
        """
        with changed as (
            update dialtone.credentials
            set missing_since = case when \(isMissing) then coalesce(missing_since, clock_timestamp()) end
            where provider_id = \(id) and status = 'active' and (missing_since is null) = \(isMissing)
            returning tenant_id, user_id, generation, provider_id, tag)
        \(Finding.write(isMissing ? .missing : .returned, from: "changed"))
        """
    }

    /// Corrects the tag of credentials and of surplus to the one that they are listed under. Indexes
    /// credentials_provider_id_key and surplus_pkey.
    private static func retag(_ ids: [ProviderID], to tag: DueTag) -> [SQL] {
        [
            """
            with changed as (
                update dialtone.credentials set tag = \(tag.tag)
                where provider_id = any(\(ids)) and tenant_id = \(tag.tenant) and tag <> \(tag.tag)
                returning tenant_id, user_id, generation, provider_id, tag)
            \(Finding.write(.moved, from: "changed"))
            """,
            """
            with changed as (
                update dialtone.surplus set tag = \(tag.tag)
                where provider_id = any(\(ids)) and tenant_id = \(tag.tenant) and tag is distinct from \(tag.tag)
                returning tenant_id, user_id, generation, provider_id, tag)
            \(Finding.write(.moved, from: "changed"))
            """,
        ]
    }

    /// The provider shows surplus although it was deleted: it is deleted again, by the same proof. Index surplus_pkey.
    private static func deleteAgain(_ ids: [ProviderID]) -> SQL {
        """
        with changed as (
            update dialtone.surplus set deleted_at = null, due_at = clock_timestamp(), attempts = 0
            where provider_id = any(\(ids)) and deleted_at is not null
            returning tenant_id, user_id, generation, provider_id, tag)
        \(Finding.write(.reopened, from: "changed"))
        """
    }
}

extension Sweep {
    /// Remembers a second credential as surplus, behind its user's lock. Returns 1 when this was the first to do so.
    func remember(
        _ id: ProviderID, _ owner: OwnedName, tag: String?, as kind: FindingKind
    ) async throws -> Int {
        let surplus = Surplus(
            ids: [id], user: owner.user, generation: owner.generation,
            name: self.names.name(for: owner.user, generation: owner.generation), tag: tag, kind: kind)
        return try await self.inOneTransaction(surplus.statements)
    }

    /// Returns how many rows the last statement has changed.
    @discardableResult
    func inOneTransaction(_ statements: [SQL]) async throws -> Int {
        try await self.pool.withConnection { connection in
            var changed = 0
            for answer in try await connection.pipeline([statements])[0] { changed = try answer.get().affected }
            return changed
        }
    }
}
