// SPDX-License-Identifier: Apache-2.0
// The simulator fails as it is told to.

import Foundation
import NIOHTTP1
import Testing

@Suite struct FaultTests {
    @Test func `a create whose reply is lost leaves a credential behind`() async throws {
        try await RunningSimulator.with { provider in
            try await provider.fault("\"operation\":\"create\",\"kind\":\"drop_after_commit\",\"times\":1")
            await #expect(throws: (any Error).self) { _ = try await provider.create("lost") }
            #expect(try await provider.counts("lost").contains("\"creates\":1"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"error_after_commit\",\"times\":1")
            #expect(try await provider.create("failed").status == 500)
            #expect(try await provider.counts("failed").contains("\"creates\":1"))
            try await provider.fault("\"operation\":\"create\",\"kind\":\"garbage\",\"times\":1")
            let garbage = try await provider.create("garbage")
            #expect(garbage.status == 201 && garbage.body.hasPrefix("<html>"))
            #expect(try await provider.counts("garbage").contains("\"creates\":1"))
            // Each rule applied to one call.
            #expect(try await provider.create("fine").status == 201)
        }
    }

    @Test func `a refused create leaves no credential behind`() async throws {
        try await RunningSimulator.with { provider in
            try await provider.fault("\"operation\":\"any\",\"kind\":\"empty_500\",\"times\":1")
            let empty = try await provider.create("n")
            #expect(empty.status == 500 && empty.body.isEmpty)
            try await provider.fault("\"operation\":\"create\",\"kind\":\"status\",\"status\":409,\"times\":1")
            #expect(try await provider.create("n").status == 409)
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"times\":1")
            let limited = try await provider.create("n")
            #expect(limited.status == 429 && limited.text("code") == "10011")
            #expect(limited.headers.first(name: "x-ratelimit-reset") == "7")
            #expect(limited.headers.first(name: "retry-after") == nil)
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"reset\":\"epoch\"")
            let epoch = try await provider.create("n").headers.first(name: "x-ratelimit-reset").flatMap(Double.init)
            #expect((epoch ?? 0) > Date().timeIntervalSince1970)
            for (reset, isRight) in [
                ("epoch_ms", { $0 > Date().timeIntervalSince1970 * 1000 }),
                ("past", { $0 < Date().timeIntervalSince1970 }),
            ] as [(String, (Double) -> Bool)] {
                try await provider.fault(
                    "\"operation\":\"create\",\"kind\":\"rate_limited\",\"milliseconds\":7000,\"reset\":\"\(reset)\"")
                let told = try await provider.create("n").headers.first(name: "x-ratelimit-reset")
                #expect(isRight(try #require(told.flatMap(Double.init))), "\(reset)")
            }
            #expect(try await provider.ask(.DELETE, "/control/faults").body == "{\"rules\":[]}")
            #expect(try await provider.ask(.GET, "/control/counts").body.contains("\"live\":0"))
        }
    }

    @Test func `a fault rule may apply to a name prefix only, and a malformed rule is refused`() async throws {
        try await RunningSimulator.with { provider in
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\",\"name_prefix\":\"bad\"")
            #expect(try await provider.create("bad-1").status == 500)
            #expect(try await provider.create("good").status == 201)
            try await provider.fault("\"operation\":\"create\",\"kind\":\"empty_500\",\"probability\":0")
            #expect(try await provider.create("bad-2").status == 201)
            let wrong = try await provider.ask(.PUT, "/control/faults", "{\"rules\":[{\"operation\":\"x\"}]}")
            #expect(wrong.status == 400)
        }
    }

    @Test func `a credential whose reply was lost may appear in lists only after a lag`() async throws {
        try await RunningSimulator.with { provider in
            let rules = """
                {"rules":[{"operation":"create","kind":"error_after_commit","times":1},
                {"operation":"create","kind":"list_lag","milliseconds":60000,"times":1}]}
                """
            #expect(try await provider.ask(.PUT, "/control/faults", rules).status == 200)
            #expect(try await provider.create("n").status == 500)
            #expect(try await provider.list("filter[name]=n").body.contains("\"data\":[]"))
            _ = try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":61}")
            #expect(try await provider.list("filter[name]=n").text("id") != nil)
        }
    }

    @Test func `a list may lag behind a create, and a create may land after its 504`() async throws {
        try await RunningSimulator.with { provider in
            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"list_lag\",\"milliseconds\":60000,\"times\":1")
            let id = try #require(try await provider.create("n").text("id"))
            #expect(try await provider.list("filter[name]=n").body.contains("\"data\":[]"))
            #expect(try await provider.counts("n").contains("\"unsettled\":1"))
            #expect(try await provider.ask(.GET, "\(RunningSimulator.path)/\(id)").status == 200)
            _ = try await provider.ask(.POST, "/control/clock", "{\"advance_seconds\":61}")
            #expect(try await provider.list("filter[name]=n").text("id") == id)

            try await provider.fault(
                "\"operation\":\"create\",\"kind\":\"late_create\",\"milliseconds\":2000,\"times\":1")
            #expect(try await provider.create("late").status == 504)
            #expect(try await provider.counts("late").contains("\"unsettled\":1"))
            #expect(try await provider.list("filter[name]=late").body.contains("\"data\":[]"))
            // The delayed response is the clock here, because no test sleeps.
            try await provider.fault("\"operation\":\"list\",\"kind\":\"delay\",\"milliseconds\":100")
            let deadline = ContinuousClock.now + .seconds(10)
            while try await provider.list("filter[name]=late").text("id") == nil {
                try #require(ContinuousClock.now < deadline, "the create did not land")
            }
            #expect(try await provider.counts("late").contains("\"creates\":1"))
            while try await !provider.counts("late").contains("\"unsettled\":0") {
                try #require(ContinuousClock.now < deadline, "the create is still on its way")
            }
        }
    }
}
