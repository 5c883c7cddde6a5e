"""GraphQL on one address: POST for operations, GET for people, WebSocket for subscriptions."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType
from typing_extensions import override

from app import graphiql
from app.graphql.errors import DEADLINE_EXCEEDED
from app.graphql.requests import (
    LARGEST_BODY,
    METHOD_NOT_ALLOWED,
    RefusedError,
    json_response,
    read_operation,
)
from app.graphql.schema import Schema
from app.graphql.websocket import Connection
from domain.errors import UnauthenticatedError
from domain.times import write_instant
from schema.context import Context, Services
from schema.loaders import Loaders

OPERATION_DEADLINE = 30.0
"""Seconds that a query or mutation over HTTP may take; a command takes at most half of them.

What waits for a person says for how much longer (`Context.allow`).
"""

FIRST_MESSAGE_DEADLINE = timedelta(seconds=10)
"""How long a WebSocket may stay open before its client says who it is."""

_OVER_HTTP = (OperationType.QUERY, OperationType.MUTATION)


class Endpoint(GraphQL[Context, None]):
    """The ASGI application at `/graphql`.

    - POST with `application/json`: queries and mutations, proved by `Authorization: Bearer ...`.
      What GraphQL could answer is status 200, errors included; a token that does not count leaves
      `login` and `refreshToken` open, everything else is UNAUTHENTICATED.
    - GET from a browser: GraphiQL. Queries by GET are refused.
    - WebSocket with the protocol `graphql-transport-ws`: everything, proved by `Authorization` or
      `token` in the connection parameters. Without a token that counts it closes with 4403, and so
      it does at the moment when the token ends.
    """

    graphql_transport_ws_handler_class = Connection

    def __init__(
        self,
        schema: Schema,
        services: Services,
        allowed_origins: Collection[str] = (),
        deadline: float = OPERATION_DEADLINE,
    ) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=FIRST_MESSAGE_DEADLINE,
            max_subscriptions_per_connection=None,
            allowed_origins=tuple(allowed_origins),
        )
        self._services = services
        self._deadline = deadline

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except RefusedError as refused:
            response = refused.response()
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", ""):
            return graphiql.page()
        if request.method != "POST":
            raise RefusedError(
                METHOD_NOT_ALLOWED, "operations are sent by POST; a browser finds GraphiQL here"
            )
        return await self._execute(request)

    async def _execute(self, request: Request) -> Response:
        operation = await read_operation(request)
        context = self.context(request.headers.get("authorization"))
        try:
            async with asyncio.timeout(self._deadline) as limit:
                result = await self.schema.execute(
                    operation.query,
                    variable_values=operation.variables,
                    operation_name=operation.operation_name,
                    context_value=replace(context, allow=partial(self._extend, limit)),
                    allowed_operation_types=_OVER_HTTP,
                )
        except CannotGetOperationTypeError as error:
            raise RefusedError(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            raise RefusedError(400, "subscriptions need a WebSocket") from error
        except TimeoutError:
            message = f"no answer within {self._deadline:g} s"
            raise RefusedError(504, message, DEADLINE_EXCEEDED) from None
        return json_response(process_result(result))

    def _extend(self, limit: asyncio.Timeout, longer: timedelta) -> None:
        now = asyncio.get_running_loop().time()
        limit.reschedule(now + self._deadline + longer.total_seconds())

    def context(self, authorization: str | None) -> Context:
        """Return the context of whoever shows this proof: a token, with or without `Bearer`."""
        context = Context(services=self._services, loaders=Loaders(self._services.storage))
        if authorization is None:
            return context
        scheme, _, token = authorization.partition(" ")
        try:
            identity = self._services.accounts.identify(
                token.strip() if scheme.lower() == "bearer" else authorization
            )
        except UnauthenticatedError as error:
            return replace(context, refusal=str(error))
        return replace(context, identity=identity)

    @override
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return a stranger's context: a WebSocket says later who it is."""
        return self.context(None)

    @override
    async def on_ws_connect(self, context: Context) -> dict[str, object]:
        """Let a WebSocket in, and say until when; or refuse it with 4403."""
        if context.identity is None:
            raise ConnectionRejectionError
        return {"expiresAt": write_instant(context.identity.expires_at)}

    @override
    def decode_json(self, data: str | bytes) -> object:
        """Read a WebSocket message strictly, with neither NaN nor Infinity."""
        if len(data) > LARGEST_BODY:
            raise json.JSONDecodeError("too large", "", 0)
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    @override
    def encode_json(self, data: object) -> str:
        return msgspec.json.encode(data).decode()
