"""What a person asks a server over GraphQL, signed in as the administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gql import GraphQLRequest
from gql.client import AsyncClientSession

from tests.e2e.server import ServerProcess


@asynccontextmanager
async def client(server: ServerProcess) -> AsyncIterator[AsyncClientSession]:
    async with server.http_client(await server.login()) as http:
        yield http


async def ask(http: AsyncClientSession, document: str, **variables: object) -> dict[str, Any]:
    return await http.execute(GraphQLRequest(document, variable_values=variables))
