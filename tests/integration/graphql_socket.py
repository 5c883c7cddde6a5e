"""GraphQL on a real HTTP server, and a client that speaks graphql-transport-ws by hand."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from app.graphql import Endpoint
from app.graphql.requests import LARGEST_BODY
from tests.eventually import eventually
from tests.graphql_server import GraphqlServer

PROTOCOL = Subprotocol("graphql-transport-ws")
DEADLINE = 10.0


@asynccontextmanager
async def serving(server: GraphqlServer) -> AsyncIterator[str]:
    """Serve GraphQL on a free port while the block runs; yields the address."""
    endpoint = Endpoint(server.schema, server.services)
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/graphql", endpoint)]),
        ws="websockets-sansio",
        ws_max_size=LARGEST_BODY,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    http = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(http.serve([listener]))
            await eventually(lambda: http.started)
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/graphql"
            http.should_exit = True


@dataclass(slots=True)
class Client:
    """One WebSocket."""

    socket: ClientConnection

    async def send(self, **message: Any) -> None:  # noqa: ANN401 - any JSON
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        return message

    async def log_in(self, token: str) -> dict[str, Any]:
        await self.send(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        return await self.receive()

    async def subscribe(self, query: str, name: str = "1", **variables: Any) -> None:  # noqa: ANN401 - any JSON
        await self.send(id=name, type="subscribe", payload={"query": query, "variables": variables})

    async def close_code(self) -> tuple[int | None, str | None]:
        """Wait for the server to close; return code and reason."""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    await self.socket.recv()
        except ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def connected(
    address: str, protocol: str = PROTOCOL, origin: str | None = None
) -> AsyncIterator[Client]:
    async with connect(
        address, subprotocols=[Subprotocol(protocol)], origin=Origin(origin) if origin else None
    ) as connection:
        yield Client(connection)
