"""Sends what a sender would send about a new user, from the fixtures, signed as that sender signs.

    sender.py SENDER URL SECRET USER ORGANIZATION         exit 1 unless every answer is 2xx"""
import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import sys
import time
import urllib.request
import uuid

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "IntakeTests/Fixtures/senders"
NOW = datetime.datetime.now(datetime.timezone.utc)
TEXT, MILLISECONDS = NOW.isoformat(), int(time.time() * 1000)

# For each sender: its fixtures in the order of sending, and the places of the user, the organisation, time and id.
SENDERS = {
    "clerk": [
        ("clerk/user.created.json", "/data/id", None, ("/timestamp", MILLISECONDS), None),
        ("clerk/organizationMembership.created.json", "/data/public_user_data/user_id", "/data/organization/id",
         ("/timestamp", MILLISECONDS), None),
    ],
    "svix": [("svix/created.json", "/data/id", None, ("/timestamp", TEXT), None)],
    "workos": [
        ("workos/user.created.json", "/data/id", None, ("/created_at", TEXT), "/id"),
        ("workos/organization_membership.created.json", "/data/user_id", "/data/organization_id",
         ("/created_at", TEXT), "/id"),
    ],
    "okta": [("okta/group.user_membership.add.json", "/data/events/0/target/0/id", "/data/events/0/target/1/id",
              ("/data/events/0/published", TEXT), "/data/events/0/uuid")],
    "stytch": [("stytch-b2b/direct.member.create.json", "/id", "/member/organization_id", ("/timestamp", TEXT), None)],
    "stytch-consumer": [
        ("stytch-consumer/direct.user.create.json", "/id", None, ("/timestamp", TEXT), None)],
    "auth0": [
        ("auth0-events/user.created.json", "/data/object/user_id", None, ("/time", TEXT), "/id"),
        ("auth0-events/organization.member.added.json", "/data/object/user/user_id",
         "/data/object/organization/id", ("/time", TEXT), "/id"),
    ],
    "auth0-logs": [
        ("auth0-logs/ss.single-object.json", "/data/user_id", "/data/organization_id", ("/data/date", TEXT), "/log_id"),
    ],
    "supabase-hook": [
        ("supabase-hook/after-user-created.json", "/user/id", None, ("/metadata/time", TEXT), "/metadata/uuid")],
    "keycloak": [
        ("keycloak/access.REGISTER.json", "/authDetails/userId", "/realmName", ("/time", MILLISECONDS), "/uid")],
}


def put(body, place, value):
    """Sets the value at a JSON Pointer. The last member need not be there yet."""
    *path, last = place[1:].split("/")
    for part in path:
        body = body[int(part)] if isinstance(body, list) else body[part]
    body[last] = value


def standard(secret, body):
    identity, seconds = f"msg_{uuid.uuid4()}", str(int(time.time()))
    # Supabase writes v1, in front of the secret.
    key = base64.b64decode(secret.removeprefix("v1,").removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return identity, seconds, "v1," + base64.b64encode(digest).decode()


def proof(sender, secret, body):
    """Returns the headers by which the sender proves itself."""
    if sender == "okta" or sender == "auth0-logs":
        return {"authorization": secret}
    if sender == "auth0":
        return {"authorization": "Bearer " + secret}
    if sender == "keycloak":
        return {"x-keycloak-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
    if sender == "workos":
        stamp = str(MILLISECONDS)
        code = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"workos-signature": f"t={stamp}, v1={code}"}
    prefix = "webhook" if sender == "supabase-hook" else "svix"
    names = [f"{prefix}-id", f"{prefix}-timestamp", f"{prefix}-signature"]
    return dict(zip(names, standard(secret, body)))


def shake_hands(url, secret):
    """Okta asks once, before it sends anything, and expects its own text back."""
    request = urllib.request.Request(url, headers={"authorization": secret, "x-okta-verification-challenge": "made-up"})
    with urllib.request.urlopen(request, timeout=3) as answer:
        assert json.load(answer) == {"verification": "made-up"}


def main():
    sender, url, secret, user, organization = sys.argv[1:]
    if sender == "okta":
        shake_hands(url, secret)
    for file, user_place, organization_place, (time_place, now), id_place in SENDERS[sender]:
        event = json.loads((FIXTURES / file).read_text())
        put(event, user_place, user)
        put(event, time_place, now)
        if organization_place:
            put(event, organization_place, organization)
        if id_place:
            put(event, id_place, str(uuid.uuid4()))
        body = json.dumps(event).encode()
        headers = {"content-type": "application/json", **proof(sender, secret, body)}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            print(answer.status, file)


main()
