"""Bare GraphQL clients: POST over one connection, and graphql-transport-ws over a WebSocket.

They do what is needed to be answered and nothing else, so that a hundred of them in one process
cost less than the server they measure.

Formats: RFC 9112 (HTTP/1.1), RFC 6455 (WebSocket), the graphql-transport-ws protocol.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Self, cast
from urllib.parse import urlsplit

import msgspec
from typing_extensions import override

_DEADLINE = 30.0
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_MASKED = 0x80
_SHORT, _MEDIUM, _LONG = 125, 126, 127


def text_head(size: int) -> bytes:
    """Return the head of a server's text frame, for up to 65,535 bytes of text."""
    if size <= _SHORT:
        return bytes([_TEXT, size])
    return bytes([_TEXT, _MEDIUM]) + size.to_bytes(2, "big")


class GraphQLRefusedError(Exception):
    """The server answered with errors."""


class HttpWire:
    """One HTTP connection that stays open, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._token = ""

    @classmethod
    async def open(cls, url: str, password: str) -> Self:
        """Connect and log in as `admin`."""
        parts = urlsplit(url)
        wire = cls(*await asyncio.open_connection(parts.hostname, parts.port))
        login = (
            "mutation($password: String!)"
            '{ login(username: "admin", password: $password) { accessToken } }'
        )
        data = await wire.ask(login, {"password": password})
        wire._token = data["login"]["accessToken"]
        return wire

    @property
    def token(self) -> str:
        """What proves who we are."""
        return self._token

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send an operation and return its data.

        Raises:
            GraphQLRefusedError: The answer carries errors.
        """
        body = msgspec.json.encode({"query": query, "variables": variables or {}})
        proof = f"Authorization: Bearer {self._token}\r\n" if self._token else ""
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: bench\r\n{proof}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        async with asyncio.timeout(_DEADLINE):
            answer = msgspec.json.decode(await self._read(), type=dict[str, Any])
        if answer.get("errors"):
            raise GraphQLRefusedError(answer["errors"])
        return cast("dict[str, Any]", answer["data"])

    async def _read(self) -> bytes:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        size = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        return await self._reader.readexactly(int(size))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class SocketWire(asyncio.Protocol):
    """One WebSocket that carries one subscription.

    Attributes:
        deliver: Called in place with every text frame.
        closed: Resolved when the socket is gone, with what the server gave as the reason.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.deliver = deliver
        self.closed: asyncio.Future[str] = loop.create_future()
        self.opened: asyncio.Future[bytes] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._reason = "the connection broke"

    def send(self, message: object) -> None:
        """Send a JSON message.

        Raises:
            ConnectionError: The socket is gone.
        """
        self._frame(_TEXT, msgspec.json.encode(message))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._frame(_CLOSE, b"")
            self._transport.close()

    def _frame(self, kind: int, body: bytes) -> None:
        if self._transport is None:
            raise ConnectionError(self._reason)
        # A mask of zeros is a mask, and leaves the bytes as they are.
        if len(body) <= _SHORT:
            head = bytes([kind, _MASKED | len(body)])
        else:
            head = bytes([kind, _MASKED | _MEDIUM]) + len(body).to_bytes(2, "big")
        self._transport.write(head + bytes(4) + body)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._transport.write(
            (
                "GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
            ).encode()
        )

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(self._reason)

    @override
    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self.opened.done():
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            self.opened.set_result(head)
        start, end = 0, len(buffer)
        while end - start > 1:
            size, body = buffer[start + 1], start + 2
            if size == _MEDIUM:
                size, body = int.from_bytes(buffer[body : body + 2], "big"), body + 2
            elif size == _LONG:
                size, body = int.from_bytes(buffer[body : body + 8], "big"), body + 8
            if body + size > end:
                break
            self._handle(buffer[start], buffer[body : body + size])
            start = body + size
        self._buffer = buffer[start:]

    def _handle(self, kind: int, body: bytes) -> None:
        if kind == _TEXT:
            self.deliver(body)
        elif kind == _PING:
            self._frame(_PONG, body)
        elif kind == _CLOSE:
            code = int.from_bytes(body[:2], "big")
            self._reason = f"{code} {body[2:].decode(errors='replace')}"


async def subscribe(
    url: str, token: str, query: str, deliver: Callable[[bytes], None]
) -> SocketWire:
    """Open a WebSocket, prove who we are, and start a subscription.

    Args:
        url: Base URL of the server.
        token: Proves who we are; empty for servers that do not ask.
        query: The subscription.
        deliver: Called in place with every text frame that follows.

    Raises:
        ConnectionError: The server does not take the WebSocket.
    """
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    acknowledged = loop.create_future()

    def until_acknowledged(frame: bytes) -> None:
        if not acknowledged.done():
            acknowledged.set_result(frame)

    async with asyncio.timeout(_DEADLINE):
        _, wire = await loop.create_connection(
            lambda: SocketWire(until_acknowledged), parts.hostname or "", parts.port or 80
        )
        if b" 101 " not in await wire.opened:
            raise ConnectionError("the server does not take the WebSocket")
        wire.send({"type": "connection_init", "payload": {"token": token}})
        await acknowledged
    wire.deliver = deliver
    wire.send({"id": "1", "type": "subscribe", "payload": {"query": query}})
    return wire
