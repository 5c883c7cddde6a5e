"""A bare client of the door of early firmware: as that one does, one connection for each request.

It does what is needed to be answered and nothing else, so that a hundred of them in one process
cost less than the server they measure.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from typing_extensions import override

from app.clock import SystemClock

_DEADLINE = 30.0
_BODY = (
    b'{"esp_id":"ESP_BE7C40","gpio":4,"sensor_type":"temperature_ds18b20","raw_value":340,'
    b'"timestamp":12345678,"metadata":{}}'
)
REQUEST = (
    b"POST /api/v1/sensors/process HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
    % (len(_BODY), _BODY)
)


class _Call(asyncio.Protocol):
    def __init__(self, done: "asyncio.Future[bytes]") -> None:
        self._done = done
        self._answer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        cast("asyncio.WriteTransport", transport).write(REQUEST)

    @override
    def data_received(self, data: bytes) -> None:
        self._answer += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(self._answer)


async def call(port: int) -> float:
    """Ask once; return the seconds from the first packet of the connection to its end.

    Raises:
        RuntimeError: The answer is no success.
    """
    clock, loop = SystemClock(), asyncio.get_running_loop()
    began, done = clock.monotonic(), loop.create_future()
    await loop.create_connection(lambda: _Call(done), "127.0.0.1", port)
    answer = await done
    if not answer.startswith(b"HTTP/1.1 200 OK\r\n"):
        raise RuntimeError(f"refused: {answer[:200]!r}")
    return clock.monotonic() - began


async def crowd(port: int, clients: int, times: int) -> tuple[Sequence[float], float]:
    """Let many clients ask, each one call after the other.

    Returns:
        The seconds of each call, and how many calls a second there were.
    """
    clock, spent = SystemClock(), list[float]()

    async def client() -> None:
        for _ in range(times):
            spent.append(await call(port))

    began = clock.monotonic()
    async with asyncio.timeout(_DEADLINE * 10), asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client())
    return spent, len(spent) / (clock.monotonic() - began)


async def steady(port: int, rate: float, seconds: float) -> Sequence[float]:
    """Ask so many times a second, however long the answers take; return the seconds of each."""
    clock, spent = SystemClock(), list[float]()

    async def one() -> None:
        spent.append(await call(port))

    began = clock.monotonic()
    async with asyncio.timeout(_DEADLINE + seconds), asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            await clock.sleep(max(0.0, began + number / rate - clock.monotonic()))
            tasks.create_task(one())
    return spent
