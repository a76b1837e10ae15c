// SPDX-License-Identifier: Apache-2.0
// Tells how to write an id that begins with a dash: the sender chooses a user's id, and the shell's user must name it.

enum DashedID {
    private static let advice = """
        An id that begins with - stands last, after --, as in: dialtone user show --tenant acme -- -u1
        The value of an option stands after =, as in: --after=-u1
        """

    /// Returns why the arguments cannot be read; nil when they may be.
    ///
    /// No option has one dash and several letters. Yet the parser takes the `h` in `-such` for `-h`, a call for help.
    static func problem(in arguments: [String]) -> String? {
        let read = arguments.prefix { $0 != "--" }
        let isDashed = { (text: String) in text.hasPrefix("-") && !text.hasPrefix("--") && text.count > 2 }
        guard let argument = read.first(where: { isDashed($0) && $0.contains("h") }) else { return nil }
        return "Error: Unknown option '\(argument)'\n\(self.advice)"
    }

    /// Returns what may help with a refusal to read the arguments; nil when an id with a dash is not the cause.
    static func hint(for message: String, _ arguments: [String]) -> String? {
        let isCause = ["Missing expected argument", "Missing value for", "Unknown option"].contains {
            message.contains($0)
        }
        let hasDashed = arguments.prefix { $0 != "--" }.contains { $0.hasPrefix("-") && !$0.hasPrefix("--") }
        let hasUnknown = message.contains("Missing expected argument '<") && arguments.contains { $0.hasPrefix("--") }
        return isCause && (hasDashed || hasUnknown) ? self.advice : nil
    }
}
