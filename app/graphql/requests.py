"""HTTP requests that carry GraphQL: read strictly, within limits, or refused with a reason."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.graphql.limits import LONGEST_QUERY
from domain.errors import BadInputError

LARGEST_BODY = 256 * 1024
"""Bytes of a request or of a WebSocket message."""

METHOD_NOT_ALLOWED = 405

BODY_DEADLINE = 30.0
"""Seconds that a client may take to send its request."""


class Operation(msgspec.Struct, frozen=True):
    """What a client asks for."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_QUERY)]
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(name="operationName", default=None)


@dataclass(eq=False)
class RefusedError(Exception):
    """The request is not answered; it never was GraphQL, or was too much of it.

    Attributes:
        status: The HTTP status.
        message: Why, fit to be shown.
        code: The error's `extensions.code`.
    """

    status: int
    message: str
    code: str = BadInputError.code

    def response(self) -> Response:
        """Return the refusal in the form of a GraphQL error."""
        error = {"message": self.message, "extensions": {"code": self.code}}
        response = json_response({"errors": [error]}, self.status)
        if self.status == METHOD_NOT_ALLOWED:
            response.headers["Allow"] = "POST"
        return response


_decoder = msgspec.json.Decoder(Operation)


async def read_operation(request: Request) -> Operation:
    """Read what a client asks for.

    Raises:
        RefusedError: The content type is another, the body is too large, comes too slowly, or is
            not strict JSON (no NaN, no Infinity) of this shape.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusedError(415, "the content type must be application/json")
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            body = await _body(request)
    except TimeoutError:
        raise RefusedError(408, f"the body did not come within {BODY_DEADLINE:g} s") from None
    except ClientDisconnect:
        raise RefusedError(400, "the client left") from None
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(400, f"the body is not a GraphQL request: {error}") from error
    except RecursionError:
        raise RefusedError(400, "the body is nested too deeply") from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise RefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
    return bytes(body)


def json_response(content: object, status: int = 200) -> Response:
    """Return a JSON response; a number that JSON cannot hold becomes null."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")
