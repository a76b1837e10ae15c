// SPDX-License-Identifier: Apache-2.0
// Why a body whose sender is proven cannot be used.

package import Model

/// Says what is wrong with a body. It names a place in the body, and never a value. `Intake` decides what the sender is
/// told.
package enum UnusableBody: Error, Equatable {
    /// The body is no JSON object, or a member that is read is not strict JSON. The text follows the words "The body".
    case notJSON(String)
    /// A member that is read has a wrong value, or is missing.
    case wrongValue(InvalidValue)
    /// The body names a tenant for which this source may not speak. The text is the place of the name in the body.
    case tenantNotAllowed(String)

    init(_ error: JSONError) { self = .notJSON("\(error.reason) (at byte \(error.offset))") }
}

// A body's members, with the error of this room.

extension JSONObject {
    /// Returns the member of that name; nil when there is none.
    func member(_ name: String) throws(UnusableBody) -> JSONView? {
        do { return try self.value(name) } catch { throw UnusableBody(error) }
    }
}

extension JSONView {
    /// Returns the text of a string; nil when this is none.
    func text() throws(UnusableBody) -> String? {
        do { return try self.string() } catch { throw UnusableBody(error) }
    }

    /// Returns the object's members of those names; nil when this is no object.
    func members(_ names: [String]) throws(UnusableBody) -> JSONObject? {
        do { return try JSONObject(self, reading: names) } catch { throw UnusableBody(error) }
    }

    /// Returns the elements, the first `limit` and one more at most; nil when this is no array.
    func list(upTo limit: Int) throws(UnusableBody) -> [JSONView]? {
        do { return try self.elements(upTo: limit) } catch { throw UnusableBody(error) }
    }
}
