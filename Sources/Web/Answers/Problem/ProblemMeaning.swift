// SPDX-License-Identifier: Apache-2.0
// What each problem means and what to do: the text behind the path that a problem has as its type.

/// The rows of the table in docs/http-api.md; a test compares them.
enum ProblemMeaning {
    struct Row: Sendable, Equatable {
        let code: String
        let status: String
        let text: String

        init(_ code: String, _ status: String, _ text: String) {
            self.code = code
            self.status = status
            self.text = text
        }

        /// Markdown, for a reader who has followed a problem's type.
        var page: String {
            let first = self.text.prefix(1).uppercased() + self.text.dropFirst()
            let end = first.hasSuffix(".") ? "" : "."
            return "# \(self.code)\n\nStatus: \(self.status)\n\n\(first)\(end)\n"
        }
    }

    static func row(of code: String) -> Row? { Self.all.first { $0.code == code } }

    static let all = [
        Row("bad_proof", "401", "a hook's signature, timestamp or id does not prove the sender"),
        Row("bad_request", "4xx", "the request is not acceptable in a way that no other code names"),
        Row("body_too_large", "413", "the body is longer than this route accepts"),
        Row(
            "busy", "503",
            """
            a sender has too much under way, or too many long bodies are arriving; nothing was stored; see \
            `Retry-After`
            """),
        Row("command_failed", "500", "`dialtone` only: a command has not done its work; `detail` says why"),
        Row(
            "conflict", "409",
            "`dialtone` only: a user, source or tenant is not in a state for what the command asks"),
        Row("content_encoding", "415", "the body is encoded; send it without `Content-Encoding`"),
        Row("content_type", "415", "the body of an API route is not `application/json`"),
        Row("delivery_id_reused", "409", "the `webhook-id` was used for another event"),
        Row("expectation_failed", "417", "`Expect` has another value than `100-continue`"),
        Row("failed", "409", "the user could not be provisioned"),
        Row("head_too_large", "431", "the head is above its limits"),
        Row("internal", "500", "a mistake in the service; its log has the `request_id`"),
        Row("invalid_cursor", "400", "`after` is not the `next` of an earlier page of this list"),
        Row(
            "invalid_json", "400",
            "the body is no JSON object, or a member of it is not strict JSON or comes twice; `detail` says where"),
        Row("invalid_payload", "422", "a member of a hook's body has a wrong value"),
        Row("invalid_value", "400, 422", "a parameter (400) or a member of another body (422) has a wrong value"),
        Row("key_malformed", "401", "the `Authorization` header holds no well-formed bearer key"),
        Row("key_missing", "401", "the `Authorization` header is missing"),
        Row("key_unknown", "401", "the key is unknown, expired or revoked"),
        Row("method_not_allowed", "405", "the path is right and the method is not; see `Allow`"),
        Row(
            "not_found", "404",
            "there is nothing under this path, such as a user who does not exist, or the key does not reach it"),
        Row("not_ready", "503", "`/readyz` only: requests cannot be served; the status listener has the reasons"),
        Row("provider_unavailable", "503", "the provider gave no token"),
        Row("quota_exceeded", "429", "the key has asked as often as it may in a minute; see `Retry-After`"),
        Row("repeated_parameter", "400", "a query parameter is given twice"),
        Row("revoked", "410", "the user's credential is taken away"),
        Row("scope_missing", "403", "the key lacks the scope that `detail` names"),
        Row(
            "source_disabled", "503",
            "an operator has stopped the hook's source; nothing was stored; see `Retry-After`"),
        Row("tenant_not_allowed", "422", "a hook's body names a tenant that this source may not speak for"),
        Row("too_many_requests", "429", "the key or its tenant has too many requests under way; see `Retry-After`"),
        Row("too_many_tokens", "429", "the tenant's login tokens are above its rate; see `Retry-After`"),
        Row(
            "unavailable", "503",
            """
            the database cannot be reached, or took too long; or too many keys or hooks that are not known are \
            being looked up; or a sender's published keys cannot be fetched. Try again after `Retry-After` seconds
            """),
        Row("unknown_hook", "404", "there is no such hook"),
        Row("unknown_member", "400", "the body has a member that this route does not know"),
        Row("unknown_method", "501", "no route has this method; CONNECT is among them"),
        Row(
            "unknown_parameter", "400",
            "the query has a parameter that this route does not know; `detail` suggests the nearest"),
        Row(
            "unknown_user", "404",
            "a login token was asked for a user who does not exist, or whom the key does not reach"),
        Row("unreadable_body", "400", "the body could not be read to its end"),
    ]
}
