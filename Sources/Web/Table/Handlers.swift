// SPDX-License-Identifier: Apache-2.0
// Which controller answers which operation. The compiler sees to it that none is forgotten.

import Directory
import Foundation
import Hummingbird

struct Handlers: Sendable {
    private let hooks: HooksController
    private let tokens: LoginTokensController
    private let users: UsersController
    private let life: LifeController
    private let tenant: TenantController
    private let streams: StreamController
    private let setUp: SetUpController
    private let health: HealthRoutes

    init(_ dependencies: WebDependencies, _ hooks: HooksController, _ now: @escaping @Sendable () -> Date) {
        self.hooks = hooks
        self.tokens = LoginTokensController(
            handoff: dependencies.handoff, reasons: dependencies.queries.reasons, bodies: hooks.bodies, now: now)
        self.users = UsersController(queries: dependencies.queries)
        self.life = LifeController(queries: dependencies.queries, verify: dependencies.verify)
        self.tenant = TenantController(queries: dependencies.queries)
        self.streams = StreamController(queries: dependencies.queries)
        self.setUp = SetUpController(tenants: dependencies.queries.tenants, reads: dependencies.setUp, now: now)
        self.health = HealthRoutes(isReady: dependencies.isReady)
    }

    func handler(of operation: Operation) -> Handler {
        switch operation {
        case .serviceShow: .open { request, _ in ServiceDocument().show(request) }
        case .contractShow: .open { request, _ in Contract.response(to: request) }
        case .problemsShow: .open { _, context in try ProblemRoutes().page(context) }
        case .healthLive: .open { _, _ in self.health.live() }
        case .healthReady: .open { _, _ in try await self.health.readiness() }
        case .hooksReceive: .open { request, context in try await self.hooks.answer(request, context) }
        case .hooksHandshake, .hooksPreflight:
            .open { request, context in try await self.hooks.handshake(request, context) }
        case .loginTokensCreate: .keyed { try await self.tokens.create($0) }
        case .tenantsList: .keyed { try await self.tenant.tenants($0) }
        case .sourcesAll: .keyed { try await self.setUp.allSources($0) }
        case .keysAll: .keyed { try await self.setUp.allKeys($0) }
        case .limitsList: .keyed { try await self.setUp.limits($0) }
        default: self.handlerOfTenant(operation)
        }
    }

    private func handlerOfTenant(_ operation: Operation) -> Handler {
        switch operation {
        case .usersList: .tenant { try await self.users.list($0) }
        case .usersCount: .tenant { try await self.users.count($0) }
        case .usersShow: .tenant { try await self.users.show($0) }
        case .usersWhy: .tenant { try await self.life.why($0) }
        case .usersTimeline: .tenant { try await self.life.timeline($0) }
        case .usersProof: .tenant { try await self.life.proof($0) }
        case .usersVerify: .tenant { try await self.life.verify($0) }
        case .find: .tenant { try await self.tenant.find($0) }
        case .eventsList: .tenant { try await self.tenant.events($0) }
        case .eventsShow: .tenant { try await self.tenant.event($0) }
        case .refusalsList: .tenant { try await self.tenant.refusals($0) }
        case .jobsList: .tenant { try await self.tenant.jobs($0) }
        case .failuresList: .tenant { try await self.tenant.failures($0) }
        case .stream: .tenant { try await self.streams.tail($0) }
        case .summaryShow: .tenant { try await self.tenant.summary($0) }
        case .tagsList: .tenant { try await self.tenant.tags($0) }
        case .findingsList: .tenant { try await self.tenant.findings($0) }
        case .tenantsShow: .tenant { try await self.setUp.tenant($0) }
        case .sourcesList: .tenant { try await self.setUp.sources($0) }
        case .keysList: .tenant { try await self.setUp.keys($0) }
        case .serviceShow, .contractShow, .problemsShow, .healthLive, .healthReady, .hooksReceive, .hooksHandshake,
            .hooksPreflight, .loginTokensCreate, .tenantsList, .sourcesAll, .keysAll, .limitsList:
            // They are answered above.
            .open { _, _ in throw Problem.notFound }
        }
    }
}
