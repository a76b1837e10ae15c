// SPDX-License-Identifier: Apache-2.0
// The addresses of one connect, in order. A name is looked up when its host's turn has come, and once only.
//
// A look-up may take as long as an attempt. So one name that nobody answers for must not hold up a host that works.

struct Attempts {
    /// A host's turn in one pass.
    private struct Turn {
        let place: PostgresConfiguration.Place
        let session: String
        /// The one address that has this turn; nil for all others of the host.
        let only: PostgresConfiguration.Target?
    }

    private let configuration: PostgresConfiguration
    /// The addresses that have a turn of their own: the one that worked last, and a silent one.
    private let apart: [PostgresConfiguration.Target]
    private var turns: ArraySlice<Turn> = []
    private var ready: ArraySlice<PostgresConfiguration.Target> = []
    private var found: [String: [String]] = [:]
    /// The error of the last look-up that failed. It counts when no address was left to try.
    private(set) var failure: PostgresError?

    /// `prefer-standby` makes two passes, because each attempt names one host only. In each pass the address that
    /// worked last comes first and a silent one last.
    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        let (first, last) = configuration.memory.order
        let places = configuration.places
        self.apart = [first, last].compactMap { $0 }
        for session in configuration.sessions {
            self.turns += Self.turn(of: first, in: places, session)
            self.turns += places.map { Turn(place: $0, session: session, only: nil) }
            self.turns += Self.turn(of: last, in: places, session)
        }
    }

    /// Returns the next address to try; nil after the last one.
    ///
    /// A name that does not resolve only leaves its host out: another host may be up.
    /// Throws `.cancelled`. Cancelled here: nothing is open.
    mutating func next() async throws(PostgresError) -> PostgresConfiguration.Target? {
        while true {
            if let target = self.ready.popFirst() { return target }
            guard let turn = self.turns.popFirst() else { return nil }
            let all = try await self.targets(of: turn)
            self.ready =
                all.filter { target in
                    turn.only.map { target.isSamePlace(as: $0) }
                        ?? !self.apart.contains { target.isSamePlace(as: $0) }
                }[...]
        }
    }

    private mutating func targets(of turn: Turn) async throws(PostgresError) -> [PostgresConfiguration.Target] {
        let place = turn.place
        let addresses: [String?] =
            if let name = place.name { try await self.addresses(of: name) } else { [place.address] }
        return addresses.map { address in
            PostgresConfiguration.Target(
                host: place.host, address: address, port: place.port, session: turn.session)
        }
    }

    private mutating func addresses(of name: String) async throws(PostgresError) -> [String] {
        if let known = self.found[name] { return known }
        var addresses: [String] = []
        do throws(PostgresError) {
            addresses = try await self.configuration.resolve(name, self.configuration.connectTimeout)
        } catch {
            if error.code == .cancelled { throw error }
            self.failure = error
        }
        self.found[name] = addresses
        return addresses
    }

    private static func turn(
        of known: PostgresConfiguration.Target?, in places: [PostgresConfiguration.Place], _ session: String
    ) -> [Turn] {
        guard let known, let place = Self.place(of: known, in: places) else { return [] }
        return [Turn(place: place, session: session, only: known)]
    }

    /// The host that a known address belongs to.
    private static func place(
        of known: PostgresConfiguration.Target, in places: [PostgresConfiguration.Place]
    ) -> PostgresConfiguration.Place? {
        places.first { place in
            place.host == known.host && place.port == known.port
                && (place.name != nil || place.address == known.address)
        }
    }
}
