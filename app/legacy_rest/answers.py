r"""Answers that the string search of early firmware can read, and every other client too.

The firmware knows no JSON and hardly any HTTP (device protocol, section 4.1): it looks for
`"processed_value":`, `"unit":"` and `"quality":"` without blanks, and waits up to 5000 s for a line
that does not end. So JSON is compact and in ASCII, its keys stand in a fixed order, and every body,
a refusal's too, ends with a newline and an empty line.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.types import Send

ENDING = b"\n\n"

_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class Answer(NamedTuple):
    """What a client is told."""

    content: Mapping[str, Any]
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        """Send it."""
        body = _JSON.encode(self.content).encode() + ENDING
        headers = [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(body)),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class RefusedError(Exception):
    """A request is not answered with what it asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.content)
        self.answer = answer


def refused(
    status: int, detail: str, *headers: tuple[bytes, bytes], close: bool = False
) -> RefusedError:
    """Return a refusal in the form that clients show: `{"detail": "<text>"}`.

    Args:
        status: Of HTTP.
        detail: Why, fit to be shown.
        headers: Further ones.
        close: Whether the connection cannot go on, because the body was not read to its end.
    """
    more = ((b"Connection", b"close"),) if close else ()
    return RefusedError(Answer({"detail": detail}, status, (*headers, *more)))


def invalid(message: str, *place: str) -> RefusedError:
    """Return what is wrong with a body: status 422, with the place (legacy contract, section 1)."""
    entry = {"type": "value_error", "loc": ["body", *place], "msg": message}
    return RefusedError(Answer({"detail": [entry]}, 422))
