// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0
// Dialtone's targets in the order of the story. `scripts/check-imports` holds the code to these arrows.

import PackageDescription

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "dialtone",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "dialtone", targets: ["dialtone"])
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: [.defaults, "YAML"]),
    ],
    targets: [
        // libpq's and epoll's headers
        .systemLibrary(
            name: "CLibpq",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev", "pkg-config"]), .brew(["libpq"])]
        ),
        // our asynchronous libpq: connection, pipeline, pool, notifications, `SQL`, rows
        .target(name: "Postgres", dependencies: ["CLibpq"]),
        // the nouns as types, typed ids, `Secret`, the JSON readers
        .target(name: "Model"),
        // the pure state machine of one job; shared with the simulation
        .target(name: "Lifecycle", dependencies: ["Model"]),
        // sealing: key hierarchy and ciphertext format
        .target(name: "Vault", dependencies: ["Model", "Postgres", crypto]),
        // what happens in each tenant, counted by the minute; shared by api and worker
        .target(name: "Counts", dependencies: ["Model", "Postgres", logging]),
        // the job table as a queue; does not know what jobs do
        .target(name: "Queue", dependencies: ["Model", "Postgres"]),
        // webhook → event: registry of sources, proof and payload, group commit
        .target(
            name: "Intake",
            dependencies: [
                "Model", "Postgres", "Counts", "Queue", "Vault", "Telemetry", crypto, cryptoExtras, logging,
            ],
            resources: [.embedInCode("Presets"), .embedInCode("Samples")]),
        // the provider's API: each answer mapped to an outcome
        .target(
            name: "Telnyx", dependencies: ["Model", "Telemetry", asyncHTTPClient, nioCore, nioHTTP1, nioSSL]),
        // permits, pauses and breakers, shared by all nodes
        .target(name: "ProviderLimits", dependencies: ["Postgres"]),
        // the worker: job → credential
        .target(
            name: "Onboarding",
            dependencies: [
                "Model", "Lifecycle", "Postgres", "Counts", "Queue", "Telnyx", "ProviderLimits", "Vault", "Telemetry",
                crypto, logging, serviceLifecycle,
            ]
        ),
        // credential → login token for an app
        .target(
            name: "Handoff",
            dependencies: [
                "Model", "Postgres", "Telnyx", "ProviderLimits", "Vault", "Telemetry", logging, serviceLifecycle,
            ]),
        // API keys → `Caller`
        .target(name: "Access", dependencies: ["Model", "Postgres", crypto]),
        // the tenant's view of its users, and what an operator does with one
        .target(name: "Directory", dependencies: ["Model", "Postgres", "Queue", "Vault"]),
        // JSON logs, and the metrics of one process
        .target(name: "Telemetry", dependencies: ["Model", logging]),
        // HTTP: connection, routes, answers; with the simulator the only target that imports Hummingbird
        .target(
            name: "Web",
            dependencies: [
                "Model", "Postgres", "Access", "Intake", "Handoff", "Directory", "Telemetry", hummingbird,
                hummingbirdCore, httpTypes, nioCore, nioPosix, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, logging,
                crypto,
                serviceLifecycle,
            ],
            resources: [.embedInCode("Contract/openapi.json")]
        ),
        // migration runner over `migrations/`, which are embedded in the program
        .target(
            name: "Schema", dependencies: ["Postgres", crypto], exclude: ["Migrations/README.md"],
            resources: [.embedInCode("Migrations")]),
        // a stand-in for the provider, with fault modes
        .target(
            name: "TelnyxSimulator",
            dependencies: ["Model", hummingbird, httpTypes, nioCore, crypto, logging, serviceLifecycle]
        ),
        // a PostgreSQL server of our own in a folder, for the demo and the tests
        .target(name: "PrivatePostgres"),
        // the only target that knows all others: settings, services in start order, operator's verbs, demo
        .target(
            name: "Composition",
            dependencies: [
                "Postgres", "Model", "Vault", "Counts", "Queue", "Intake", "Telnyx", "ProviderLimits", "Onboarding",
                "Handoff", "Access", "Directory", "Telemetry", "Web", "Schema", "TelnyxSimulator", "PrivatePostgres",
                asyncHTTPClient, nioCore, nioHTTP1, logging, crypto, serviceLifecycle, unixSignals, configuration,
            ]
        ),
        // arguments and printing; one command per file
        .executableTarget(name: "dialtone", dependencies: ["Composition", "Directory", "Model", argumentParser]),
        // measures this machine and the program on it
        .executableTarget(
            name: "dialtone-bench",
            dependencies: [
                "CLibpq", "Access", "Composition", "Directory", "Intake", "Model", "Onboarding", "Postgres",
                "PrivatePostgres", "Vault", crypto, cryptoExtras, logging, serviceLifecycle,
            ],
            path: "Benchmarks/DialtoneBench"
        ),
        // breaks everything that can break, on real processes and servers
        .executableTarget(
            name: "dialtone-chaos",
            dependencies: [
                "Composition", "Model", "Postgres", "PrivatePostgres", "TestSupport", "Vault", asyncHTTPClient, nioCore,
                nioPosix, nioHTTP1,
            ],
            path: "Tests/Chaos"
        ),
        // a migrated database for each test, and what tests share
        .target(
            name: "TestSupport", dependencies: ["Model", "Postgres", "Schema", "PrivatePostgres"],
            path: "Tests/TestSupport"),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "PrivatePostgres", "TestSupport"]),
        .testTarget(name: "PrivatePostgresTests", dependencies: ["PrivatePostgres", "Postgres", "TestSupport"]),
        .testTarget(name: "ModelTests", dependencies: ["Model"]),
        .testTarget(name: "LifecycleTests", dependencies: ["Lifecycle", "Model"]),
        // the simulated ledger, workers and provider of the seeded simulation
        .target(name: "SimulatedWorld", dependencies: ["Lifecycle", "Model"], path: "Tests/SimulatedWorld"),
        .testTarget(name: "SimulationTests", dependencies: ["SimulatedWorld"]),
        .testTarget(
            name: "VaultTests", dependencies: ["Vault", "Model", "Postgres", "TestSupport", crypto],
            exclude: ["KnownAnswers"]),
        .testTarget(
            name: "CountsTests", dependencies: ["Counts", "Model", "Postgres", "TestSupport", logging]),
        .testTarget(name: "DirectoryTests", dependencies: ["Directory", "Vault", "Model", "Postgres", "TestSupport"]),
        .testTarget(
            name: "HandoffTests",
            dependencies: ["Handoff", "ProviderLimits", "Telnyx", "Vault", "Model", "Postgres", "TestSupport"]),
        .testTarget(
            name: "IntakeTests",
            dependencies: [
                "Intake", "Counts", "Directory", "Onboarding", "Model", "Postgres", "PrivatePostgres", "Queue",
                "Schema",
                "Vault", "TestSupport", crypto, logging,
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "QueueTests", dependencies: ["Queue", "Model", "Postgres", "TestSupport"]),
        .testTarget(
            name: "OnboardingTests",
            dependencies: [
                "Onboarding", "Counts", "Intake", "Lifecycle", "ProviderLimits", "Queue", "Telnyx", "Vault", "Model",
                "Postgres", "PrivatePostgres", "Schema", "Telemetry", "TestSupport", logging,
            ]),
        .testTarget(name: "ProviderLimitsTests", dependencies: ["ProviderLimits", "Postgres", "TestSupport"]),
        .testTarget(name: "AccessTests", dependencies: ["Access", "Model", "Postgres", "TestSupport"]),
        .testTarget(name: "SchemaTests", dependencies: ["Schema", "Postgres", "TestSupport"]),
        .testTarget(
            name: "TelnyxTests",
            dependencies: ["Telnyx", "Model", "TestSupport", asyncHTTPClient, nioCore, nioPosix, nioSSL]
        ),
        .testTarget(
            name: "TelnyxSimulatorTests",
            dependencies: ["TelnyxSimulator", asyncHTTPClient, nioCore, nioHTTP1, logging, serviceLifecycle]
        ),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "Model", "TestSupport", logging]),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "Web", "Directory", "Model", "Telemetry", hummingbird, httpTypes, nioCore, nioEmbedded, nioHTTP1,
                logging,
            ]),
        .testTarget(name: "CompositionTests", dependencies: ["Composition", "Directory", "Model", logging]),
        .testTarget(
            name: "dialtoneTests", dependencies: ["dialtone", "Postgres", "PrivatePostgres", "TestSupport", crypto],
            exclude: ["Pages/Programs"]),
        .testTarget(
            name: "StoryTests",
            dependencies: [
                "Composition", "Directory", "Intake", "Onboarding", "TestSupport", "Postgres", "PrivatePostgres",
                "Schema",
                "Model", "Telnyx", "TelnyxSimulator", "Web", asyncHTTPClient,
                nioCore, nioPosix, nioHTTP1, crypto, logging, serviceLifecycle,
            ],
            exclude: ["Conformance"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// One settings loop: every Swift target gets the same language mode, upcoming features and severity.
for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    settings += [
        "ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility", "InferIsolatedConformances",
        "NonisolatedNonsendingByDefault", "ImmutableWeakCaptures",
    ].map { .enableUpcomingFeature($0) }
    settings.append(.treatAllWarnings(as: .error))
    // Hundreds of thousands of simulated lives, or of made-up bodies, are too many for code that is not optimised.
    if ["SimulatedWorld", "Lifecycle", "Model"].contains(target.name) {
        settings.append(.unsafeFlags(["-O"], .when(configuration: .debug)))
    }
    if target.name == "Postgres" { settings.append(.strictMemorySafety()) }
    target.swiftSettings = settings
}
