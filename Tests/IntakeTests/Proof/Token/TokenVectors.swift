// SPDX-License-Identifier: Apache-2.0
// Tokens, keys and a key set made by another implementation (Python's cryptography 48).

enum TokenVectors {
    /// The time at which the tokens are fresh.
    static let now: Double = 1_700_000_000

    static let body = Array(
        """
        {"data":{"id":"user_2NNEqL2nrIRxCBNiiSPAKxvlkEJ"},"object":"event","type":"user.created","instance_id":"ins_1",\
        "timestamp":1700000000000}
        """.utf8)

    /// SHA-256 of `body`.
    static let hash = "614eedf279627ed6912d459774e234f9dc2e53e654b392dd1c10ed20a04cb8e0"

    /// iss `https://id.example.com`, aud `other` and `dialtone`, iat 1700000000, exp 1700000300, and the hash of `body`
    /// in hex as `request_body_sha256`.
    static let tokens: [String: String] = [
        "RS256": """
        eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.pd-\
        qN2n_ltYHijj43BOtoSGR77vWh5ekmWeWEQvWig-b2Pq0M-eRk_tNgJpUBsV2bxUhZXjr5tnL74qdUp5ot96bYhZ6AZdJG2khkps\
        HnKBuPJrZ4eM8MM5_YAeAWAfNki-VJe0BbrFu_9C4aRdT9QFPUVe2kyBrtsoHbV1OdcQ3I62_Yf93If2PZTIWN4nAOe8FeKEavpm\
        ny0MBmJCpxh0Tpv3gpSkzlXZeR7c8VvVh1QjZdDQend9zjRJPYhautGX6VjdfUkrJiuhETnRek6Lqwqc2kNmGxcTsQ-1LCTyafOH\
        HVhAf_2psPzp_7-Q4ulSnLQcftEwtcpmyfVCBCA
        """,
        "RS384": """
        eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.ZeG\
        orHg4lCqIMbSM1lH7jCgPdtMuNZqE1EzU9RPBCWDyo-7XzjiX968vvuaM3hrVmHrng1WRtjqiEy9xoMfU4TCX5gK2EYhLuDSTSFV\
        HDXDGZcAoYP03P9bxtrSfZ5kP3L4lIuz-YB5WNdEXQAsYv05awWjBo9gZlRfI7nvd4ehFfEWuwPa3A83UUVIpamsvLhF0kX51jPK\
        rAkq5eqCxjuZssmW_ubEoV4mSfpRAtdU3wzz55-BIFIzLMrV2t7QF7qHO8gr4FoVChkU5j88wg__RSIHo5osRQpVrx7ypzL7ixfu\
        zyhhehgOHrJKCbJPFyq30MqQrkQVe3jrgFVGJvg
        """,
        "RS512": """
        eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.W-6\
        f-4Bzv3akawEVzptoBDRpv9bwIw7RDSnb6n8CVHyeJNn56dnFnq3CS57ozmgIoXTtaOENb2YtKmDxJXNx60jrwHHO9D7fbIU1ac0\
        zL7uQcZAbGEL0TYc3AtUYqPeMq1XE6E6d-J-BqfO_zXL7fqLcjxEOZcJ7sv1tsPWhtsIuDoc9rDhBF_l5UG_fPkr8oWQtQFYOCHL\
        dckVieOB6ZqdgHHRg8mjWO24UTtrWd3VlK0-hHZfcy9Y2YPSHLB_Gv4G5dKCYDP7wtaMtBZgwCkz4__jlU_8RlRFE7LSvWzzTNNQ\
        QyYomMyAKPI7SNT5ORHgmgkFqzVNF10qv23qCMg
        """,
        "PS256": """
        eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.r9q\
        AfEudgZXGT-uUR_4k9NiIrkit6OwxHr5DPjEeu9N8puMCPXqTYSBpltoBFUJz-XeNLm9e1rC_wLCzGZSu4FJCYJaaoVY7PrqzI3a\
        nNbd-1KmJ1vj_MKBlV-q6_E0n2RsKFBPCxpSkuUU1bWJkERIwEDUn3PR2HQexDSbjiatyosqtfg8EWMAhpB1q4TUByqIWCBgqzYO\
        RSyXguiK3Trl5FgzSeuUyZO-7JespqkeLNuLy-PyJ8Tt70BMRtvXyMvzYaEZAbeC-v13aYGxsykJLShQwrRIdrec0qyIzuFKQxhz\
        iMSTIonmckX7xh7Z_y0NBOYXoiMmWI6aPyhMyRg
        """,
        "PS384": """
        eyJhbGciOiJQUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.wNr\
        b69K7bNGHgpGP1dBnz12BKymrFdABDi4dph7VZ3tDtzdWHPEboHI5apX722m3thhGSLRzqdrmlxcGVzoKLcPUf-4YKxAujfqdyKw\
        RD8vTKuv6PAXRtvnddU5gr0oUiPNqlcR6-A-_TjyowGwzyRn6uJMVXlpwfLMrsPERdfMkZsdhfnXLGH9BaKXaKtJIYI_SlGJhhi5\
        h10koAeZIlRT6yTetCfuUubfHTruqQxXEPwrPvmm1yD7NqPZTZkqPICUCNZ9e4GWO7vMEMm8AIZv40JF-PAmXA-aH8HfoHXEgGC5\
        vYsfDsTyJ5vXZHIWCB2TC2fqGqIYkNqqAcnjo4g
        """,
        "PS512": """
        eyJhbGciOiJQUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXV\
        kIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGE\
        yNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.BRy\
        sfswMjUSQT617mQNBQq6qur8dcI56bSMULAFXEPuS9HW8R7wcJtvRKTnLlIYAkkZNvkUkQikbW8z_HofPUw3Ix5o8Sn556_uiT4U\
        eoAOLWDSNE9654IdMuNgEefuHZwoGwNjmQWIBWSb71-HZHayVgC8TD9aoj5hqAT71prK9GZsG38w_39fTSmFHXeBLzAzV7dqkzjF\
        4bOQ8BEUov8nwVnh78D-JZViS8wUbVAceg5jgUXbDM715ibkr7P9e5FfTv0y5JXWe20p2Kgw-5ZplMj2Brr2Ue9ghY9lo_pgASnA\
        ErGiRsujjs7BK78gNWBsboyr-EOJyLdXMebGbaQ
        """,
        "ES256": """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjMjU2In0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwi\
        YXVkIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9z\
        aGEyNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.\
        uEjb3pfKtKKxrx51fdU2OiEYerXcWF6ZQfPwVFWsJSFFwMyXAkq1KCuDA8zDbN7DAy71dl1q7A1sg4L0VfagRw
        """,
        "ES384": """
        eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImVjMzg0In0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwi\
        YXVkIjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9z\
        aGEyNTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.\
        6e0V-UehrpW_k_7qC8whAKnn0x-oMWmmmHPySByi2GD6nUnSJQ6O7unPzjPNipHdojWS044zplhAJTwJ4KUkx4in1bTb1sNTRedU\
        TEbkMsiNINdZz9kaORiEe_gH_4Pi
        """,
        "EdDSA": """
        eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVk\
        IjpbIm90aGVyIiwiZGlhbHRvbmUiXSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDAsInJlcXVlc3RfYm9keV9zaGEy\
        NTYiOiI2MTRlZWRmMjc5NjI3ZWQ2OTEyZDQ1OTc3NGUyMzRmOWRjMmU1M2U2NTRiMzkyZGQxYzEwZWQyMGEwNGNiOGUwIn0.4nYb\
        VzgZ4S4tke8_-zAsCh_qd8FY7t3jsa2eZg2yeqfzN7OLdAMOaFAThujZ-eZRW05ZEjNQ1xw9vCKQ2MeqAw
        """,
    ]

    /// Each algorithm with the kind of its key.
    static let algorithms = [
        ("RS256", "RSA"), ("RS384", "RSA"), ("RS512", "RSA"), ("PS256", "RSA"), ("PS384", "RSA"), ("PS512", "RSA"),
        ("ES256", "P-256"), ("ES384", "P-384"), ("EdDSA", "Ed25519"),
    ]

    /// Of the same keys.
    static let publicKeys: [String: String] = [
        "RSA": """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxkZiy9m1Exvf8xbLkv0f
        APW66+SHKegE7+U4emznpNTAc4HW9hsw53zuXaLh9JtYFGHsICk+8eWD66JK3N9j
        aeSH8BsYvHrrGiSLnc24OFRyrPf67LD8rRDGwRQfLzaHUGRBR2VCoHo8acoiNa5n
        UoMMoPAIjLsXvKjk7WU/BtXpRKMi5h3c3a9lZyH0inIR+wFASPvHlCvp/eLDN6kq
        LbgTWxQWEf96D2PGzy9tKkwAbLe6m6elunftBK2QNW8zfldWN1VhZmMlOWbNwdde
        Ki76Re93WVgmTKdZ+sSqnCPz5X6Ro2QQH9vFlgZtraxgySrEqhqByI4KeupL1PO5
        RwIDAQAB
        -----END PUBLIC KEY-----
        """,
        "P-256": """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEip5V4sqFkPRdfusInEk+oQlDdPnR
        EHl0UFFxm4GyIs7i1Gy2Y4LK03scxGjRUBzwZL3y3I80X9qIkoeVhurOOw==
        -----END PUBLIC KEY-----
        """,
        "P-384": """
        -----BEGIN PUBLIC KEY-----
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEQBhUhiXNRZJRA/7M+az4j3G3yXsy9GRJ
        nNb3rYxJkDx84X+u1WxxT1y/SMoWbqqkSzNg4NIj5fIXDnWso5LSOPuG4T2tL5Zq
        ohFp8U8IIoA7E1st1M3io93FNvD81boR
        -----END PUBLIC KEY-----
        """,
        "Ed25519": """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAIxbgpwvX8uJJas459vFSUycYrj0HXWP6DC6nu2rAloE=
        -----END PUBLIC KEY-----
        """,
    ]

    static let keySet = """
        {"keys":[{"kty":"RSA","kid":"rsa","use":"sig","n":"xkZiy9m1Exvf8xbLkv0fAPW66-SHKegE7-U4emznpNTAc4HW9\
        hsw53zuXaLh9JtYFGHsICk-8eWD66JK3N9jaeSH8BsYvHrrGiSLnc24OFRyrPf67LD8rRDGwRQfLzaHUGRBR2VCoHo8acoiNa5nU\
        oMMoPAIjLsXvKjk7WU_BtXpRKMi5h3c3a9lZyH0inIR-wFASPvHlCvp_eLDN6kqLbgTWxQWEf96D2PGzy9tKkwAbLe6m6elunftB\
        K2QNW8zfldWN1VhZmMlOWbNwddeKi76Re93WVgmTKdZ-sSqnCPz5X6Ro2QQH9vFlgZtraxgySrEqhqByI4KeupL1PO5Rw","e":"\
        AQAB"},{"kty":"EC","crv":"P-256","kid":"ec256","x":"ip5V4sqFkPRdfusInEk-oQlDdPnREHl0UFFxm4GyIs4","y"\
        :"4tRstmOCytN7HMRo0VAc8GS98tyPNF_aiJKHlYbqzjs"},{"kty":"EC","crv":"P-384","kid":"ec384","x":"QBhUhiX\
        NRZJRA_7M-az4j3G3yXsy9GRJnNb3rYxJkDx84X-u1WxxT1y_SMoWbqqk","y":"SzNg4NIj5fIXDnWso5LSOPuG4T2tL5ZqohFp\
        8U8IIoA7E1st1M3io93FNvD81boR"},{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"IxbgpwvX8uJJas459vFSUycY\
        rj0HXWP6DC6nu2rAloE"}]}
        """
}
