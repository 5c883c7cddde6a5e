"""How long a conversion takes at the door of early firmware: a connection for every request.

`python -m bench.process [--quick]`: 100 clients that ask as fast as they are answered; then 100
requests a second; then conversions as ingest makes them, without any door. The floor is a bare
asyncio server in a process of its own that answers the same bytes without looking at anything:
what TCP, the kernel and the client cost by themselves.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import uvloop
from typing_extensions import override

from app.clock import SystemClock
from bench import http_wire
from bench.parts import PROJECT, end, running_parts, running_server
from bench.processes import cpu_seconds
from bench.reporting import Report, percentile
from domain.sensors import Sample, SensorKey
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner

CLIENTS = 100
RATE = 100.0
_BATCH = 500
_MILLI, _MICRO = 1e3, 1e6
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 82\r\n"
    b"Connection: close\r\n\r\n"
    b'{"processed_value":21.25,"unit":"\\u00b0C","quality":"good","timestamp":1735818000}\n\n'
)


class _Constant(asyncio.Protocol):
    """Answers a request, whatever it is, once all of it is there."""

    _transport: asyncio.WriteTransport

    def __init__(self) -> None:
        self._heard = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.WriteTransport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._heard += len(data)
        if self._heard >= len(http_wire.REQUEST):
            self._transport.write(_ANSWER)
            self._transport.close()


async def _serve_constant() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Constant, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def _floor() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.process",
        "--floor",
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        yield int(await process.stdout.readline())
    finally:
        await end(process)


async def measure(times: int, seconds: float, report: Report) -> None:
    """Run everything and fill the report."""
    async with (
        running_parts() as parts,
        running_server(parts, KAISER_PROCESS_RATE="100000") as running,
        _floor() as floor,
    ):
        port = int(running.http.rpartition(":")[2])
        await http_wire.crowd(port, CLIENTS, max(1, times // 10))
        before, began = cpu_seconds(running.pids["server"]), SystemClock().monotonic()
        crowd, per_second = await http_wire.crowd(port, CLIENTS, times)
        used = cpu_seconds(running.pids["server"]) - before
        busy = used / (SystemClock().monotonic() - began)
        bare_crowd, bare_per_second = await http_wire.crowd(floor, CLIENTS, times)
        steady = await http_wire.steady(port, RATE, seconds)
        bare_steady = await http_wire.steady(floor, RATE, seconds)
    for name, ours, bare, aim in (
        (f"{CLIENTS} clients", crowd, bare_crowd, 50.0),
        (f"{RATE:g} requests/s", steady, bare_steady, 5.0),
    ):
        _compare(report, name, ours, bare, aim)
    report.add("requests a second", per_second, "/s", floor="a constant, requests a second")
    report.add("a constant, requests a second", bare_per_second, "/s")
    report.add("the server's CPU for a request", used / len(crowd) * _MICRO, "µs")
    report.add("the server's core in use", busy * 100.0, "%")
    for kind, spent in (await _conversions()).items():
        report.add(f"a conversion in ingest: {kind}", spent, "µs", target="< 20 µs")


def _compare(
    report: Report, name: str, ours: Sequence[float], bare: Sequence[float], aim: float
) -> None:
    for share in (0.5, 0.99):
        label = f"{name}, p{share * 100:.0f}"
        report.add(
            label,
            percentile(ours, share) * _MILLI,
            "ms",
            floor=f"a constant, {label}",
            target=f"<= {aim:g} ms" if share > 0.5 else "",  # noqa: PLR2004 - the higher of the two
        )
        report.add(f"a constant, {label}", percentile(bare, share) * _MILLI, "ms")


async def _conversions() -> dict[str, float]:
    """Return the microseconds of one conversion, in batches as ingest asks for them."""
    clock, runner = SystemClock(), LibraryRunner(load_built_in())
    now, result = clock.now(), dict[str, float]()
    given: dict[str, dict[str, float]] = {
        "ph": {"temperature": 21.0, "slope": -5.7},
        "vpd": {"temperature": 25.0, "humidity": 60.0},
    }
    for kind, raw in (("ds18b20", 340.0), ("sht31_humidity", 26551.0), ("ph", 2048.0), ("vpd", 0)):
        sample = Sample(SensorKey("ESP_BE7C40", 4, kind), raw, now)
        batch = [(sample, given.get(kind))] * _BATCH
        best = float("inf")
        for _ in range(20):
            began = clock.monotonic()
            await runner.measure_all(batch)
            best = min(best, clock.monotonic() - began)
        result[kind] = best / _BATCH * _MICRO
    return result


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 20 seconds")
    parser.add_argument("--times", type=int, default=300, help="requests of each of 100 clients")
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        uvloop.run(_serve_constant())
        return
    times, seconds = (60, 5.0) if options.quick else (options.times, 20.0)
    settings = {"clients": CLIENTS, "times": times, "seconds": seconds}
    report = Report(benchmark="process", settings=settings)
    uvloop.run(measure(times, seconds, report))
    report.finish()


if __name__ == "__main__":
    main()
