"""Signs with the official `standardwebhooks` package and posts: genuine ones must be accepted, forged ones refused."""
import datetime
import json
import sys

from checks import finish, post
from standardwebhooks.webhooks import Webhook

url, secret = sys.argv[1], sys.argv[2]


def signed(body: str, delivery: str, at: datetime.datetime, key: str = secret) -> dict:
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign(delivery, at, body),
    }


now = datetime.datetime.now(datetime.timezone.utc)
body = json.dumps({"type": "user.created", "timestamp": now.isoformat(), "data": {"user_id": "py-1", "tenant_id": "acme"}})
old = now - datetime.timedelta(minutes=6)
other_key = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
finish([
    ("genuine", 202, post(url, body, signed(body, "msg_py_1", now))),
    ("the same again", 200, post(url, body, signed(body, "msg_py_1", now))),
    ("another key", 401, post(url, body, signed(body, "msg_py_2", now, other_key))),
    ("a changed body", 401, post(url, body.replace("py-1", "py-2"), signed(body, "msg_py_3", now))),
    ("too old", 401, post(url, body, signed(body, "msg_py_4", old))),
    ("no signature", 401, post(url, body, {})),
    ("another tenant", 422, post(url, b := body.replace("acme", "globex"), signed(b, "msg_py_5", now))),
    ("other content under the same id", 409, post(url, b := body.replace("py-1", "py-6"), signed(b, "msg_py_1", now))),
])
