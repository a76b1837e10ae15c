// SPDX-License-Identifier: Apache-2.0
// One decision of a simulated visit about a credential or a user. Each is a transaction by itself.

import Model

enum Correction {
    /// The credential is surplus of its user's generation.
    case surplus(ProviderCredential)
    /// The user's job of this generation must look.
    case makeLook(Int, Generation)
    /// A job must look for the user's credential and take it over.
    case adopt(Int)
    /// The commit that opened this generation of the user was lost, and its credential is there.
    case catchUp(Int, Generation)
    /// The credential was deleted and is there again.
    case reopen(Int)
    /// The credential serves no more, so its user needs the next generation.
    case reprovision(Int)
    /// The credential is missing since now, or is no longer missing.
    case missing(Int, Bool)
    /// The credential belongs to no user that the ledger knows, or is gone.
    case stray(ProviderCredential)
    case strayIsGone(Int)
    /// The commit that opened the generation was lost, and its user is gone by a word from after that.
    case overtaken(ProviderCredential)
}
