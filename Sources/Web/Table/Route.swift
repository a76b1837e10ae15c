// SPDX-License-Identifier: Apache-2.0
// One row of the route table: where an operation stands, who may call it, and what its query may hold.

package import HTTPTypes
import Hummingbird
package import Model

package struct Route: Sendable {
    /// Who may call. There is no default: a route says it, or it does not exist.
    package enum Access: Sendable, Equatable {
        /// Everybody. Such a route shows nothing of a tenant.
        case anyone
        /// The sender of a hook, by the proof that its source asks for.
        case sender
        /// A key with this scope. The handler compares the tenant that the request names (`KeyedRequest.reader`).
        case key(Scope)
        /// A key with this scope that reaches the `{tenant}` of the path.
        case tenant(Scope)
        /// An operator's key with this scope. It shows things of all tenants, so a tenant's key finds nothing there.
        case operators(Scope)
    }

    package let operation: Operation
    package let method: HTTPRequest.Method
    /// As in the contract: `/v1/tenants/{tenant}/users/{user}`.
    package let path: String
    package let access: Access
    /// The parameters that its query may have. Any other is refused by name.
    package let parameters: [String]

    init(
        _ operation: Operation, _ method: HTTPRequest.Method, _ path: String, _ access: Access,
        parameters: [String] = []
    ) {
        self.operation = operation
        self.method = method
        self.path = path
        self.access = access
        self.parameters = parameters
    }

    package var methodName: String { self.method.rawValue }

    /// The path in Hummingbird's form, where `{user}` is `:user`.
    var routerPath: RouterPath { RouterPath(Self.inRouter(self.path)) }

    static func inRouter(_ path: String) -> String { path.replacing("{", with: ":").replacing("}", with: "") }

    /// Whether a request counts for its key, as every read does. Login tokens have a rate of their own.
    var hasQuota: Bool {
        switch self.access {
        case .tenant, .operators: true
        case .key: self.operation != .loginTokensCreate
        case .anyone, .sender: false
        }
    }

    /// Whether it is a list in pages. Each has an export too.
    package var hasPages: Bool { self.parameters.contains("after") }

    /// Whether `Allow` names the method. The handshakes of a hook answer some senders, and are no invitation.
    var isAllowed: Bool { self.access != .sender || self.method == .post }
}
