"""What the scripts beside this one share: they post to a running service and compare its answers with what is right."""
import sys
import urllib.error
import urllib.request


def post(url: str, body: str | bytes, headers: dict, content_type: str | None = "application/json") -> int:
    """Returns the answer's status. The headers go out as the sender's package made them."""
    content = body if isinstance(body, bytes) else body.encode()
    default = {"Content-Type": content_type} if content_type else {}
    request = urllib.request.Request(url, content, {**default, **headers})
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def finish(checks: list[tuple[str, int, int]]) -> None:
    """Ends the program: with 0 when each check has got the status that it wanted."""
    for name, wanted, got in checks:
        print(f"{'ok' if wanted == got else 'FAILED'} {name}: {got}, wanted {wanted}")
    sys.exit(any(wanted != got for _, wanted, got in checks))
