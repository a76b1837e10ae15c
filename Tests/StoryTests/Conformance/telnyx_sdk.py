"""The official `telnyx` package against the simulator: shapes, pages, filters, errors, tokens."""
import base64
import json
import sys
import time

import telnyx
from telnyx import Telnyx

client = Telnyx(api_key="test-key", base_url=sys.argv[1], max_retries=0)
credentials = client.telephony_credentials
failures = []


def check(name, condition):
    print(f"{'ok' if condition else 'FAILED'} {name}")
    if not condition:
        failures.append(name)


def refused(name, kind, code, call):
    try:
        call()
        check(name, False)
    except kind as error:
        body = error.body if isinstance(error.body, dict) else {}
        errors = body.get("errors")
        found = errors[0]["code"] if isinstance(errors, list) else None
        check(name, code is None or found == code)


made = credentials.create(connection_id="1234567890", name="user:é 1", tag="ten ant/1").data
check("create answers a credential", made.record_type == "credential" and made.name == "user:é 1")
check("resource id has its prefix", made.resource_id == "connection:1234567890")
check("username and password are there", made.sip_username.startswith("gencred") and len(made.sip_password) == 32)
check("the tag is not shown", not hasattr(made, "tag") or "tag" not in made.model_dump(exclude_unset=True))
check("times have no zone", not str(made.created_at).endswith("Z"))
found = list(credentials.list(filter={"name": "user:é 1", "tag": "ten ant/1", "resource_id": "connection:1234567890"}))
check("filters are decoded and exact", [c.id for c in found] == [made.id])
check("no match is an empty list", list(credentials.list(filter={"name": "user"})) == [])
check("retrieve", credentials.retrieve(made.id).data.sip_password == made.sip_password)
check("update", credentials.update(made.id, name="renamed").data.name == "renamed")
for number in range(7):
    credentials.create(connection_id="1", name=f"page-{number}", tag="pages")
page = credentials.list(filter={"tag": "pages"}, page_size=3) if "page_size" in str(
    credentials.list.__doc__) else credentials.list(filter={"tag": "pages"}, extra_query={"page[size]": 3})
check("all pages, in order of making", [c.name for c in page] == [f"page-{n}" for n in range(7)])
refused("page size 251", telnyx.BadRequestError, "10015",
        lambda: credentials.list(extra_query={"page[size]": 251}))
refused("an unknown filter", telnyx.BadRequestError, "10031",
        lambda: credentials.list(extra_query={"filter[connection_id]": "1"}))
token = credentials.create_token(made.id)
claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
check("a token is a bare JWT with a real exp", token.count(".") == 2 and claims["exp"] > time.time())
check("delete answers the credential", credentials.delete(made.id).data.id == made.id)
refused("deleted twice", telnyx.NotFoundError, "10005", lambda: credentials.delete(made.id))
refused("retrieve after delete", telnyx.NotFoundError, "10005", lambda: credentials.retrieve(made.id))
refused("no connection", telnyx.UnprocessableEntityError, "10004", lambda: credentials.create(connection_id=""))
refused("unknown connection", telnyx.UnprocessableEntityError, "10013", lambda: credentials.create(connection_id="abc"))
expired = credentials.create(connection_id="1", name="old", expires_at="2020-01-01T00:00:00").data
refused("a token of an expired one", telnyx.UnprocessableEntityError, "55001",
        lambda: credentials.create_token(expired.id))
refused("update of an expired one", telnyx.UnprocessableEntityError, None,
        lambda: credentials.update(expired.id, name="x"))
wrong = Telnyx(api_key="wrong", base_url=sys.argv[1], max_retries=0)
refused("a wrong key", telnyx.AuthenticationError, "10009", lambda: wrong.telephony_credentials.retrieve("x"))
for number in range(1000):
    credentials.create(connection_id="1", name=f"full-{number}", tag="full")
refused("the 1001st of a tag", telnyx.UnprocessableEntityError, None,
        lambda: credentials.create(connection_id="1", name="full-1000", tag="full"))
sys.exit(len(failures) > 0)
