"""Sends what the official `cloudevents` package makes of events: structured, binary and batched, with a bearer token."""
import datetime
import sys

from checks import finish, post
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent as OlderCloudEvent

url, token = sys.argv[1], sys.argv[2]
now = datetime.datetime.now(datetime.timezone.utc)


def attributes(user: str, **more) -> dict:
    return {"type": "user.created", "source": "urn:made-up:idp", "id": f"e-{user}", "subject": user, **more}


def event(user: str, data=None, **more) -> CloudEvent:
    known = attributes(user, specversion="1.0", time=now, datacontenttype="application/json", **more)
    return CloudEvent(known, {"name": "Zoë Ż"} if data is None else data)


def older(user: str) -> OlderCloudEvent:
    return OlderCloudEvent(attributes(user, time=now.isoformat()), {"name": "Zoë Ż"})


def send(headers: dict, body: bytes, key: str = token) -> int:
    return post(url, body, {**headers, "Authorization": f"Bearer {key}"}, content_type=None)


def batch(*events: CloudEvent) -> tuple[dict, bytes]:
    """A batch is a list of structured events (JSON event format, section 4); the package has no call for it."""
    bodies = [to_structured_event(one).body for one in events]
    return {"Content-Type": "application/cloudevents-batch+json"}, b"[" + b",".join(bodies) + b"]"


def structured(one: CloudEvent) -> tuple[dict, bytes]:
    message = to_structured_event(one)
    return message.headers, message.body


def binary(one: CloudEvent) -> tuple[dict, bytes]:
    message = to_binary_event(one)
    return message.headers, message.body


finish([
    ("structured", 202, send(*structured(event("ce-1")))),
    ("structured again", 200, send(*structured(event("ce-1")))),
    ("the same event in binary mode", 200, send(*binary(event("ce-1")))),
    ("binary", 202, send(*binary(event("ce-2")))),
    ("binary with a subject that is escaped", 202, send(*binary(event("cé|3 Ż %41")))),
    ("structured with the same subject", 200, send(*structured(event("cé|3 Ż %41")))),
    ("structured with data as bytes", 202, send(*structured(event("ce-4", data=b"\x00\xff")))),
    ("batch", 202, send(*batch(event("ce-5"), event("ce-6"), event("ce-1")))),
    ("empty batch", 200, send(*batch())),
    ("the older calls, structured", 202, send(*to_structured(older("ce-7")))),
    ("the older calls, binary", 202, send(*to_binary(older("ce-8")))),
    ("another token", 401, send(*structured(event("ce-9")), key="somebody-else's")),
    ("no token", 401, post(url, structured(event("ce-9"))[1], structured(event("ce-9"))[0], content_type=None)),
])
