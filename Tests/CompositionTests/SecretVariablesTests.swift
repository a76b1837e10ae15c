// SPDX-License-Identifier: Apache-2.0
// The names of the variables that hold secrets, wherever the key-encryption key's variable is named.

import Composition
import Testing

@Suite struct SecretVariablesTests {
    private static let fixed: Set<String> = [
        "DATABASE_URL", "DATABASE_DIRECT_URL", "TELNYX_API_KEY", "TELNYX_PROXY", "HTTPS_PROXY", "https_proxy",
        "DIALTONE_SOURCE_SECRET", "DIALTONE_API_KEY",
    ]

    @Test func `every secret that may stand in a variable is taken, and nothing else`() {
        var environment = Dictionary(uniqueKeysWithValues: Self.fixed.map { ($0, "hunter2") })
        for name in ["PATH", "DIALTONE_LISTEN", "DATABASE_URL_FILE", "NO_PROXY"] { environment[name] = "x" }
        #expect(SecretVariables.names(in: environment) { _ in nil } == Self.fixed)
        #expect(SecretVariables.names(in: ["PATH": "x"]) { _ in nil }.isEmpty)
    }

    @Test(arguments: ["env:OUR_KEY", "env:OUR_KEY\r", "\"env:OUR_KEY\"", " env:OUR_KEY "])
    func `the variable of the key is taken where the environment names it`(place: String) {
        let names = SecretVariables.names(in: ["DIALTONE_KEK": place, "OUR_KEY": "hunter2"]) { _ in nil }
        #expect(names == ["OUR_KEY"])
    }

    @Test(arguments: [
        "dialtone:\n  kek: env:OUR_KEY\n", "dialtone:\n  kek: \"env:OUR_KEY\" # here\n",
        "dialtone: {kek: 'env:OUR_KEY'}",
        "{\"dialtone\": {\"kek\": \"env:OUR_KEY\"}}",
    ])
    func `the variable of the key is taken where the file names it`(text: String) {
        let environment = ["DIALTONE_CONFIG": "/etc/dialtone.yaml\r", "OUR_KEY": "hunter2", "PATH": "/bin"]
        let names = SecretVariables.names(in: environment) { $0 == "/etc/dialtone.yaml" ? text : nil }
        #expect(names == ["OUR_KEY"])
    }

    @Test func `a file that says nothing of the key, or is not there, takes nothing`() {
        let environment = ["DIALTONE_CONFIG": "/etc/dialtone.yaml", "PATH": "/bin"]
        for text in ["# see env:PATH\n", "dialtone:\n  kek: file:/run/secrets/kek\n", nil] {
            #expect(SecretVariables.names(in: environment) { _ in text }.isEmpty)
        }
    }
}
