"""Signs with the official `svix` package, as Svix and its customers do, for a source of the preset svix and one of clerk."""
import datetime
import json
import sys

from checks import finish, post
from svix.webhooks import Webhook

svix_url, clerk_url, secret = sys.argv[1], sys.argv[2], sys.argv[3]
now = datetime.datetime.now(datetime.timezone.utc)


def signed(body: str, delivery: str, at: datetime.datetime = now, key: str = secret, family: str = "svix") -> dict:
    return {
        f"{family}-id": delivery,
        f"{family}-timestamp": str(int(at.timestamp())),
        f"{family}-signature": Webhook(key).sign(delivery, at, body),
    }


def svix_event(user: str) -> str:
    return json.dumps({"type": "user.created", "timestamp": now.isoformat(), "data": {"id": user, "name": "Zoë Ż"}})


def clerk_event(user: str) -> str:
    milliseconds = int(now.timestamp() * 1000)
    data = {"id": user, "object": "user", "first_name": "Zoë", "last_name": None, "email_addresses": []}
    return json.dumps({"data": data, "object": "event", "timestamp": milliseconds, "type": "user.created"})


other_key = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
old, ahead = now - datetime.timedelta(seconds=310), now + datetime.timedelta(seconds=330)
checks = []
for preset, url, event in [("svix", svix_url, svix_event), ("clerk", clerk_url, clerk_event)]:
    first, second, third = event(f"{preset}-1"), event(f"{preset}-2"), event(f"{preset}-3")
    both = {**signed(third, f"msg_{preset}_3"), **signed(third, f"msg_{preset}_3", family="webhook")}
    two = signed(third, f"msg_{preset}_4", key=other_key)
    two["svix-signature"] += " " + signed(third, f"msg_{preset}_4")["svix-signature"]
    checks += [
        (f"{preset}: genuine", 202, post(url, first, signed(first, f"msg_{preset}_1"))),
        (f"{preset}: the same again", 200, post(url, first, signed(first, f"msg_{preset}_1"))),
        (f"{preset}: the standard's headers", 202, post(url, second, signed(second, f"msg_{preset}_2", family="webhook"))),
        (f"{preset}: both families of headers", 202, post(url, third, both)),
        (f"{preset}: signed with an old and a new key", 200, post(url, third, two)),
        (f"{preset}: another key", 401, post(url, first, signed(first, "msg_5", key=other_key))),
        (f"{preset}: a changed body", 401, post(url, first + " ", signed(first, "msg_6"))),
        (f"{preset}: too old", 401, post(url, first, signed(first, "msg_7", old))),
        (f"{preset}: ahead", 401, post(url, first, signed(first, "msg_8", ahead))),
        (f"{preset}: no signature", 401, post(url, first, {})),
    ]
finish(checks)
