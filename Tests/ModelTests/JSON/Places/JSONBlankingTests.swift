// SPDX-License-Identifier: Apache-2.0
// Secret members are taken out of a text at any depth, and every other byte stays.

import Testing

@testable import Model

@Suite struct JSONBlankingTests {
    @Test(arguments: [
        (#"{"a":1,"password":"x"}"#, #"{"a":1,"password":null}"#),
        (#"{ "b" : [ {"password" : {"x":["y"]} , "c":2} ] }"#, #"{ "b" : [ {"password" : null , "c":2} ] }"#),
        (#"{"p\u0061ssword":[1,{"password":2}]}"#, #"{"p\u0061ssword":null}"#),
        (
            #"{"a":"password","b":["password"],"c":"\"password\":1"}"#,
            #"{"a":"password","b":["password"],"c":"\"password\":1"}"#
        ),
        (#"{"\ud800":"x","a":1}"#, #"{"\ud800":null,"a":1}"#),
        (#"{"password":1,"password":2}"#, #"{"password":null,"password":null}"#),
        (#"{"Password":1}"#, #"{"Password":1}"#), (#""password""#, #""password""#), ("[]", "[]"),
    ])
    func `the values of secret members are taken out`(body: String, kept: String) throws {
        let text = try JSONBlanking.text(Array(body.utf8), without: ["password"])
        #expect(String(decoding: text, as: UTF8.self) == kept)
    }

    @Test(arguments: [#"{"password":"x""#, #"{"password":"x"} {"password":"y"}"#, "password=x", ""])
    func `nothing is kept of a text that is no JSON`(body: String) {
        #expect(throws: JSONError.self) { try JSONBlanking.text(Array(body.utf8), without: ["password"]) }
    }
}
