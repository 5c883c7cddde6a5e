"""One WebSocket that speaks graphql-transport-ws: who it is, what it may ask, and when it ends."""

import asyncio
from typing import Annotated, Any, Protocol, cast

import msgspec
from graphql import GraphQLError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from typing_extensions import override

from app.graphql.errors import LIMIT_EXCEEDED
from app.graphql.limits import LONGEST_QUERY
from schema.context import Context

MOST_OPERATIONS = 100
"""Operations that may run on one WebSocket at once."""

FORBIDDEN = 4403
"""Close code: no token that counts, or not any more (graphql-transport-ws: Forbidden)."""

LONGEST_REASON = 123
"""Bytes of a close reason (RFC 6455, section 5.5)."""


class _Door(Protocol):
    def context(self, authorization: str | None) -> Context: ...


class _Init(msgspec.Struct, tag="connection_init"):
    payload: dict[str, Any] | None = None


class _Ping(msgspec.Struct, tag="ping"):
    pass


class _Pong(msgspec.Struct, tag="pong"):
    pass


class _Complete(msgspec.Struct, tag="complete"):
    id: str


class _Operation(msgspec.Struct):
    query: Annotated[str, msgspec.Meta(max_length=LONGEST_QUERY)]
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(name="operationName", default=None)


class _Subscribe(msgspec.Struct, tag="subscribe"):
    id: str
    payload: _Operation


class Connection(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's side of the protocol, with a strict reading of messages and an end.

    Every operation is answered in the name of whoever the connection parameters prove; when that
    proof ends, all operations end, and the socket closes with 4403.
    """

    @override
    async def handle(self) -> None:
        try:
            async with asyncio.timeout(None) as self._end:
                await super().handle()
        except TimeoutError:
            await self.websocket.close(FORBIDDEN, "the token has expired")

    @override
    async def handle_message(self, message: Message) -> None:
        try:
            msgspec.convert(message, _Init | _Ping | _Pong | _Complete | _Subscribe)
        except msgspec.ValidationError as error:
            await self.handle_invalid_message(str(error)[:LONGEST_REASON])
            return
        await super().handle_message(message)

    @override
    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        if not self.connection_init_received:
            self.context = cast("_Door", self.view).context(_proof(message.get("payload")))
            if identity := self.context.identity:
                left = identity.expires_at - self.context.services.clock.now()
                loop = asyncio.get_running_loop()
                self._end.reschedule(loop.time() + left.total_seconds())
        await super().handle_connection_init(message)

    @override
    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if len(self.operations) >= MOST_OPERATIONS and message["id"] not in self.operations:
            error = GraphQLError(
                f"at most {MOST_OPERATIONS} operations run on one WebSocket",
                extensions={"code": LIMIT_EXCEEDED},
            )
            await self.send_message(
                {"id": message["id"], "type": "error", "payload": [error.formatted]}
            )
            return
        await super().handle_subscribe(message)

    @staticmethod
    @override
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A document that cannot be read fails its operation, not the whole socket."""
        return None


def _proof(parameters: object) -> str | None:
    if not isinstance(parameters, dict):
        return None
    found = (parameters.get(name) for name in ("Authorization", "authorization", "token"))
    return next((proof for proof in found if isinstance(proof, str)), None)
