// SPDX-License-Identifier: Apache-2.0
// What a route knows of a request besides its head and body: the connection it came on.

import Hummingbird
import NIOCore

struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
    }
}
