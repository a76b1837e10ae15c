// SPDX-License-Identifier: Apache-2.0
// The contents of one pipeline: preparations, statements and syncs in order, with the results each will owe.

/// The commands of one pipeline and, beside them, the results to expect.
struct PipelinePlan {
    private enum Command {
        case prepare(String, SQL)
        case prepared(String, [SQL.Parameter])
        case direct(SQL)
        case sync
    }

    private var commands: [Command] = []
    private(set) var expectations: [PendingResults<PostgresRows>.Expectation] = []
    /// The places of statements that this very pipeline prepares. If one fails, its name may not exist.
    private(set) var preparedHere: Set<Int> = []

    init(_ groups: [[SQL]], statements: inout StatementCache) {
        var place = 0
        for group in groups {
            for statement in group {
                switch statements.use(statement) {
                case .direct:
                    self.commands.append(.direct(statement))
                case .prepared(let name):
                    self.commands.append(.prepared(name, statement.parameters))
                case .prepare(let name):
                    self.commands.append(.prepare(name, statement))
                    self.expectations.append(.preparation(for: place))
                    self.commands.append(.prepared(name, statement.parameters))
                    statements.prepared(statement)
                    self.preparedHere.insert(place)
                }
                self.expectations.append(.statement(place))
                place += 1
            }
            self.commands.append(.sync)
            self.expectations.append(.sync)
        }
    }

    /// Queues every command in libpq's buffer.
    ///
    /// Returns false when libpq refuses one. The connection is then of no more use.
    func send(on handle: PQConnection) -> Bool {
        self.commands.allSatisfy { command in
            switch command {
            case .prepare(let name, let statement): handle.sendPrepare(name: name, statement)
            case .prepared(let name, let parameters): handle.sendPrepared(name: name, parameters)
            case .direct(let statement): handle.send(statement)
            case .sync: handle.pipelineSync()
            }
        }
    }
}
