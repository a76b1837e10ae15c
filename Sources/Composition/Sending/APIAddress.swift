// SPDX-License-Identifier: Apache-2.0
// Says where the API is that gets the key, so that no other host is given it.

package import Model

/// The service's URL, to which the API's paths are added.
package struct APIAddress: Sendable {
    let base: String

    /// `named` is the service's URL as the operator has set it. Without one it is read off the hook's URL, but only
    /// where the hook is on this machine or where `publicURL` is: whoever gives somebody a hook's URL must not get the
    /// key by it.
    package init(hook: String, named: String?, publicURL: String?) throws(InvalidValue) {
        if let named {
            guard let url = SentURL(named), url.isBare else {
                throw InvalidValue(Self.setting, "must be a URL such as https://dialtone.example.com")
            }
            guard url.isPrivate else { throw InvalidValue(Self.setting, Self.clearText) }
            self.base = url.base(hook: false)
            return
        }
        guard let url = SentURL(hook) else { throw InvalidValue("--url", "must be the URL of a hook") }
        let isOwn = url.isLoopback || publicURL.flatMap { SentURL($0) }?.origin == url.origin
        guard isOwn else {
            throw InvalidValue(
                Self.setting,
                "is not set: DIALTONE_API_KEY goes to no host that neither it nor DIALTONE_PUBLIC_URL names")
        }
        guard url.isPrivate else { throw InvalidValue("--url", "\(Self.clearText); or set \(Self.setting)") }
        self.base = url.base(hook: true)
    }

    /// The service that an operator or a support engineer names.
    package init(named text: String) throws(InvalidValue) {
        try self.init(hook: "", named: text, publicURL: nil)
    }

    private static let setting = "DIALTONE_URL"
    private static let clearText = "must be https, because DIALTONE_API_KEY goes there"
}
