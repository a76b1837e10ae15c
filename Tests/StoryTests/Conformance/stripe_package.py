"""Signs with the official `stripe` package's own generator of test headers, for a source with a configuration of its own."""
import json
import sys
import time

import stripe
from checks import finish, post

url, secret = sys.argv[1], sys.argv[2]
now = int(time.time())


def event(user: str, number: int) -> str:
    customer = {"id": user, "object": "customer", "name": "Zoë Ż", "metadata": {}}
    return json.dumps({
        "id": f"evt_{number}", "object": "event", "type": "customer.created", "created": now, "livemode": True,
        "data": {"object": customer},
    })


def signed(body: str, key: str = secret, at: int = now) -> dict:
    header = stripe.WebhookSignature.generate_signature_header(body, key, timestamp=at)
    # What is sent is what the package itself takes for genuine, unless its time is over.
    if at == now:
        stripe.Webhook.construct_event(body, header, key, api_key="sk_test_made_up")
    return {"Stripe-Signature": header}


first, second = event("cus_1", 1), event("cus_2", 2)
rolled = {"Stripe-Signature": signed(second, "whsec_the_old_one")["Stripe-Signature"]}
rolled["Stripe-Signature"] += "," + signed(second)["Stripe-Signature"].split(",")[1]
finish([
    ("genuine", 202, post(url, first, signed(first))),
    ("the same again", 200, post(url, first, signed(first))),
    ("signed with an old and a new key", 202, post(url, second, rolled)),
    ("another key", 401, post(url, first, signed(first, "whsec_of_somebody_else"))),
    ("a changed body", 401, post(url, first.replace("cus_1", "cus_3"), signed(first))),
    ("too old", 401, post(url, first, signed(first, at=now - 310))),
    ("ahead", 401, post(url, first, signed(first, at=now + 330))),
    ("no signature", 401, post(url, first, {})),
])
