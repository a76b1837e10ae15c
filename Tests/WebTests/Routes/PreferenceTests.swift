// SPDX-License-Identifier: Apache-2.0
// `Prefer: wait` in every form of RFC 7240, and the content types that a JSON body may have.

import Testing

@testable import Web

@Suite struct PreferenceTests {
    @Test(
        arguments: [
            ([], nil), (["wait=5"], 5), (["wait=\"5\""], 5), (["Wait = 5"], 5), (["wait=5; a=b"], 5),
            (["wait=\"\\5\";x"], 5),
            (["respond-async, wait=5"], 5), (["respond-async", "wait=7, wait=9"], 7), (["wait=60"], 25),
            (["wait=99999999999999999999"], 25), (["wait=0"], 0), (["a=\"x, wait=9\", wait=3"], 3), (["a;wait=9"], nil),
            (["wait"], nil), (["wait="], nil), (["wait=x"], nil), (["wait=-1"], nil), (["wait=+1"], nil),
            (["=,;=wait"], nil),
            (["wait=x, wait=5"], nil), (["waiting=5"], nil), ([""], nil), (["wait=\"5"], nil),
        ] as [([String], Int?)])
    func `the seconds are read as the standard says, and are 25 at most`(values: [String], seconds: Int?) {
        #expect(Preference.wait(values) == seconds)
    }

    @Test(
        arguments: [
            ([], true), (["application/json"], true), (["Application/JSON; charset=utf-8"], true),
            (["application/x+json"], true),
            (["text/plain"], false), (["application/x-www-form-urlencoded"], false), ([""], false),
            (["application/json", "application/json"], false), (["application/jsonp"], false),
        ] as [([String], Bool)])
    func `a body of another type than JSON is refused`(values: [String], isTaken: Bool) {
        let problem = Result { () throws(Problem) in try MediaType.requireJSON(values) }
        switch problem {
        case .success: #expect(isTaken)
        case .failure(let problem): #expect(!isTaken && problem.status == 415)
        }
    }
}
