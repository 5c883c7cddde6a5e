"""Bodies of legacy requests: read within limits of size and time, or refused with a reason."""

import asyncio
from typing import TypeVar

import msgspec
from starlette.types import Receive

from app.legacy_rest.answers import invalid, refused

T = TypeVar("T")

LARGEST_BODY = 16 * 1024
"""Bytes; the largest request that any known device or client sends has some 300."""

BODY_DEADLINE = 10.0
"""Seconds that a client may take to send its request; early firmware gives up after 5."""


async def read_body(receive: Receive, decoder: msgspec.json.Decoder[T]) -> T:
    """Read a JSON body.

    Raises:
        RefusedError: It is too large, comes too slowly, or is not of this shape.
    """
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            body = await _whole(receive)
    except TimeoutError:
        detail = f"the body did not come within {BODY_DEADLINE:g} s"
        raise refused(408, detail, close=True) from None
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        raise invalid(message, *place.rstrip("`").split(".")[: 1 if place else 0]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise invalid("the body is nested too deeply") from None


async def _whole(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise refused(400, "the client left", close=True)
    if len(body) > LARGEST_BODY:
        raise refused(413, f"the body is larger than {LARGEST_BODY} bytes", close=True)
    return body
