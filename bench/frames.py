"""The floor of fan-out: a process that does nothing but write one WebSocket frame per listener.

`python -m bench.frames` prints the port it listens on. A connection that begins with GET becomes a
listener, without a look at what it asks for; on any other, each byte is an event.
"""

import asyncio
import sys
from itertools import count
from typing import cast

import uvloop
from typing_extensions import override

from bench.graphql_wire import text_head

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
EVENT = (
    '{"id":"1","type":"next","payload":{"data":{"readings":{"cursor":"cmVhZGluZ3M6MTc5NTQyMTk3Mw",'
    '"reading":{"id":"UmVhZGluZzoxNzk1NDIxOTczMDkxNDU2","rawValue":%d.0,"value":%d.0,"unit":null,'
    '"timestamp":"2026-11-23T08:19:33.091456Z","sensor":{"gpio":4,"sensorType":"bench"}}}}}}'
)
"""What the server would say; the number of the event is its raw value."""


class Speaker(asyncio.Protocol):
    """One connection of either kind."""

    def __init__(self, listeners: set[asyncio.Transport], numbers: "count[int]") -> None:
        self._listeners = listeners
        self._numbers = numbers
        self._transport: asyncio.Transport | None = None
        self._is_listener = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._listeners.discard(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        assert self._transport is not None  # noqa: S101  # asyncio's order of calls
        if data.startswith(b"GET "):
            self._is_listener = True
            self._transport.write(ANSWER + text_head(2) + b"{}")
            self._listeners.add(self._transport)
        elif not self._is_listener:
            for _ in data:
                self._tell(next(self._numbers))

    def _tell(self, number: int) -> None:
        text = (EVENT % (number, number)).encode()
        frame = text_head(len(text)) + text
        for listener in self._listeners:
            listener.write(frame)


async def speak() -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    listeners: set[asyncio.Transport] = set()
    numbers = count()
    server = await loop.create_server(lambda: Speaker(listeners, numbers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(speak())
