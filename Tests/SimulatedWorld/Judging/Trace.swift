// SPDX-License-Identifier: Apache-2.0
// The story of a simulated life, told when its seed has failed and is lived once more.

/// Lines of a story. A class, so that telling it changes nothing in the life.
final class Trace { var lines: [String] = [] }
