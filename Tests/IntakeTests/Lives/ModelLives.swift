// SPDX-License-Identifier: Apache-2.0
// Tells a life to the model in every order.

enum ModelLives {
    /// Throws when one of the orders does not come to what the oracle says.
    ///
    /// Each set of words is told in every order: as each set that lacks one of them, and then that one. Of the states
    /// that the orders of a set come to, each is kept once. So all orders of seven words take some hundred steps.
    ///
    /// The rounds of a transaction are words one after the other, so every grouping is one of these orders.
    static func tellInEveryOrder(_ life: Life) throws {
        let words = life.words.map(ModelWord.init)
        var states = [[FactsModel]](repeating: [], count: 1 << words.count)
        states[0] = [FactsModel()]
        for set in states.indices {
            for place in words.indices where set & (1 << place) == 0 {
                for state in states[set] {
                    var next = state
                    next.take(words[place])
                    if !states[set | 1 << place].contains(next) { states[set | 1 << place].append(next) }
                }
            }
        }
        let wanted = life.wanted.sorted()
        for state in states[states.count - 1] {
            let told = state.wanted.sorted()
            guard told == wanted else { throw WrongLife(life: life, wanted: told) }
        }
    }
}
