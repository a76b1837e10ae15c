"""Makes record-v1.json with PyPI's `cryptography`, from the description of the format alone.

python make_record_v1.py > record-v1.json

"TC" and "tcs" are a former name of the project, on which sealed values depend."""
import base64
import hashlib
import hmac
import json
import struct
import unicodedata

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

KEY, KEK = bytes(range(32)), bytes(range(32, 64))
KEY_ID = bytes.fromhex("00112233445566778899aabbccddeeff")
SALT = bytes([7]) * 32


def lp(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">I", len(raw)) + raw


def hkdf(algorithm, length, salt, info, key):
    return HKDF(algorithm=algorithm, length=length, salt=salt, info=info).derive(key)


derived = hkdf(hashes.SHA512(), 64, SALT, b"tcs/rec/v1" + b"\x01" + KEY_ID, KEY)
header = b"TC\x01\x01" + KEY_ID + SALT + derived[32:]
aad = b"tcs/aad/v1" + header + lp("acme") + lp("credentials") + lp("sealed_password") + lp("id-1") + lp("u-1")
aad += struct.pack(">I", 1)
padded = b"correct horse" + b"\x80"
padded += b"\x00" * (-len(padded) % 32)
sealed = header + AESGCM(derived[:32]).encrypt(bytes(12), padded, aad)

wrapping_key = hkdf(hashes.SHA512(), 32, None, b"tcs/wrap/v1" + lp("acme") + KEY_ID + struct.pack(">I", 1), KEK)
wrapped = aes_key_wrap(wrapping_key, KEY)

index_key = hkdf(hashes.SHA256(), 32, None, b"tcs/bidx/v1sip_username", KEY)
normal = unicodedata.normalize("NFC", "GenCrede\u0301").lower().encode()
blind_index = hmac.new(index_key, normal, hashlib.sha256).digest()[:16]

print(json.dumps({k: base64.b64encode(v).decode() for k, v in
                  {"sealed": sealed, "wrapped": wrapped, "blind_index": blind_index}.items()}))
