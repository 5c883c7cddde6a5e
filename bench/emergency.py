"""How long an emergency stop takes: from the mutation to the wire, as a device hears it.

`python -m bench.emergency [--quick] [--only flooded]`: a hundred devices that confirm as newest
firmware does; stops of everything (by broadcast) and of one device (by its own order) take turns,
first while nothing else happens, then at a rate that ingest can take, then while more readings than
ingest can store wait all the time, then while several connections publish as fast as the broker
takes it, which is more than the broker itself can pass on. Each way is taken apart, and beside each
stop stands, in the same moment, what nobody can do without: an answer of the server, a commit, a
message.

Devices refuse to be freed for five seconds: some stops follow each other, then all are freed, and
what was not stored of the flood is. Of what the broker cannot pass on that takes a minute and more,
so there are few stops of that kind.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import uvloop

from app.clock import SystemClock
from bench.emergency_crowd import ESP_IDS, Crowd
from bench.generator import DEVICES
from bench.graphql_wire import HttpWire
from bench.mqtt_wire import open_wire
from bench.parts import PASSWORD, Parts, generator, report_of, running_parts, running_server
from bench.reporting import Report, percentile

AIM = 50.0
BROADCAST, ORDER = "mutation to broadcast", "mutation to the device's own order"
FORCE, SEND = "mutation to in force", "in force to heard"
ANSWER, PASSED_ON = "an answer", "a commit and a message"
COMMIT, MESSAGE, FLOOR = "a commit", "a message", "answer, commit and message"
STEADY_RATE = 10_000
"""Readings a second that ingest can take on the smallest machine that this is for."""

AHEAD = 30_000
"""Readings of a flood that wait to be stored: more than the server takes out of the broker. Without
an end to them, a handful of stops would leave so many that storing them takes longer than it."""

FLOODERS = 3
"""Connections that publish as fast as the broker takes it."""

MOST_BEYOND = 20
"""Stops of each kind beside those."""

_ENDLESS = 2_000_000
"""More readings than any handful of stops lasts for."""

_PATIENCE = 60.0
_POLL = 0.05
_WARM = 1.0
_PAUSE = 0.2
_HANDFUL = 20

_STOP = "mutation($input: EmergencyStopInput!) { emergencyStop(input: $input) { id } }"
_CLEAR = "mutation($id: ID!) { clearEmergency(id: $id) { active } }"
_SHOWN = """query($id: ID!) { node(id: $id) { ... on EmergencyStop {
    triggeredAt devices { confirmed releasedAt }
} } }"""
_DEVICES = "{ devices(first: 100) { edges { node { status } } } }"
_NOTHING = "{ __typename }"


@dataclass(slots=True, kw_only=True)
class Bench:
    """What is measured with, and the seconds that were measured, by what they are of."""

    http: HttpWire
    crowd: Crowd
    database: asyncpg.Connection
    spent: dict[str, list[float]] = field(default_factory=dict)
    clock: SystemClock = field(default_factory=SystemClock)

    async def stop_once(self, wish: Mapping[str, str]) -> str:
        """Press, and take the way apart; then clear. Returns the stop's id."""
        self.crowd.listen()
        began, called = self.clock.monotonic(), self.clock.now()
        stop: str = (await self.http.ask(_STOP, {"input": dict(wish)}))["emergencyStop"]["id"]
        async with asyncio.timeout(_PATIENCE):
            heard = await self.crowd.heard - began
        self._note(ORDER if "espId" in wish else BROADCAST, heard)
        shown = await self._shown(stop)
        in_force = (datetime.fromisoformat(shown["triggeredAt"]) - called).total_seconds()
        self._note(FORCE, in_force)
        self._note(SEND, heard - in_force)
        async with asyncio.timeout(_PATIENCE):
            while not all(device["confirmed"] for device in shown["devices"]):
                await self.clock.sleep(_POLL)
                shown = await self._shown(stop)
        await self.http.ask(_CLEAR, {"id": stop})
        return stop

    async def floor_once(self) -> None:
        """Measure what nobody can do without, one after the other."""
        began = self.clock.monotonic()
        await self.http.ask(_NOTHING)
        answered = self.clock.monotonic()
        await self.database.execute("INSERT INTO bench_commit VALUES (1)")
        committed = self.clock.monotonic()
        await self.crowd.tell_itself()
        heard = self.clock.monotonic()
        self._note(ANSWER, answered - began)
        self._note(COMMIT, committed - answered)
        self._note(MESSAGE, heard - committed)
        self._note(PASSED_ON, heard - answered)
        self._note(FLOOR, heard - began)

    async def until_free(self, stops: Sequence[str]) -> None:
        """Wait until every device of these stops is free."""
        for stop in stops:
            async with asyncio.timeout(_PATIENCE):
                while not all(d["releasedAt"] for d in (await self._shown(stop))["devices"]):
                    await self.clock.sleep(_POLL)

    async def until_online(self) -> None:
        """Wait until the server knows everybody."""
        self.crowd.announce()
        async with asyncio.timeout(_PATIENCE):
            while True:
                edges = (await self.http.ask(_DEVICES))["devices"]["edges"]
                if sum(edge["node"]["status"] == "ONLINE" for edge in edges) >= DEVICES:
                    return
                await self.clock.sleep(_POLL)

    async def readings(self) -> int:
        """Count what is stored."""
        rows: int = await self.database.fetchval("SELECT count(*) FROM reading")
        return rows

    async def until_stored(self) -> None:
        """Wait until nothing more is stored: the server has all that the broker kept."""
        before = -1
        while before != (before := await self.readings()):
            await self.clock.sleep(_WARM)
            await self.http.ask(_NOTHING)  # or the server hangs up

    async def _shown(self, stop: str) -> dict[str, Any]:
        shown: dict[str, Any] = (await self.http.ask(_SHOWN, {"id": stop}))["node"]
        return shown

    def _note(self, what: str, seconds: float) -> None:
        self.spent.setdefault(what, []).append(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What is published while stops are measured.

    Attributes:
        generators: Which options each of them gets.
        most: Stops of each kind.
    """

    generators: Sequence[Sequence[str]] = ()
    most: int = 1_000_000


STEADY, FULL, BEYOND = f"at {STEADY_RATE:,}/s", "flooded", f"flooded by {FLOODERS}"
FLOODS = {
    "alone": Flood(),
    STEADY: Flood(generators=[("--rate", str(STEADY_RATE))]),
    FULL: Flood(generators=[("--ahead", str(AHEAD))]),
    BEYOND: Flood(generators=[()] * FLOODERS, most=MOST_BEYOND),
}


async def measure(times: int, only: Sequence[str], report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts, running_server(parts) as running:
        # The first message of each device makes it known: that happens once in its life.
        async with generator(running, "--messages", str(10 * DEVICES)) as first:
            await report_of(first)
        async with _bench(running) as bench:
            for name in only:
                flood = FLOODS[name]
                rate = await _round(running, bench, min(times, flood.most), flood)
                report.add(f"readings stored, {name}", rate, "/s")
                _tell(report, bench.spent, name)


async def _round(parts: Parts, bench: Bench, times: int, flood: Flood) -> float:
    """Measure; return how many readings a second were stored meanwhile."""
    bench.spent.clear()
    seconds, stored = 0.0, 0
    for first in range(0, 2 * times, _HANDFUL):
        stops = []
        bench.crowd.announce()
        async with _flooded(parts, flood):
            rows, began = await bench.readings(), bench.clock.monotonic()
            for number in range(first, min(first + _HANDFUL, 2 * times)):
                one = {"espId": ESP_IDS[number % DEVICES]} if number % 2 else {}
                stops.append(await bench.stop_once({"reason": "measured", **one}))
                await bench.floor_once()
                await bench.clock.sleep(_PAUSE)
            seconds += bench.clock.monotonic() - began
            stored += await bench.readings() - rows
        await bench.until_stored()
        await bench.until_free(stops)
    return stored / seconds


@asynccontextmanager
async def _flooded(parts: Parts, flood: Flood) -> AsyncIterator[None]:
    common = ("--messages", str(_ENDLESS), "--database", parts.database)
    async with AsyncExitStack() as stack:
        floods = [
            await stack.enter_async_context(
                generator(parts, *common, "--client-id", f"bench-{number}", *options)
            )
            for number, options in enumerate(flood.generators)
        ]
        if floods:
            await SystemClock().sleep(_WARM)
        yield
        if any(process.returncode is not None for process in floods):
            raise RuntimeError("the flood was over before the stops were")


def _tell(report: Report, spent: Mapping[str, Sequence[float]], name: str) -> None:
    floors = {BROADCAST: FLOOR, ORDER: FLOOR, FORCE: ANSWER, SEND: PASSED_ON}
    for what in (BROADCAST, ORDER):
        report.add(f"stops measured: {what}, {name}", len(spent[what]), "")
    for label, share in (("p50", 0.5), ("p99", 0.99), ("maximum", 1.0)):
        for what, seconds in spent.items():
            floor = floors.get(what)
            report.add(
                f"{what}, {name}, {label}",
                percentile(seconds, share) * 1000.0,
                "ms",
                floor=f"{floor}, {name}, {label}" if floor else "",
                target=f"<= {AIM:g} ms" if floor is FLOOR else "",
            )


@asynccontextmanager
async def _bench(parts: Parts) -> AsyncIterator[Bench]:
    crowd = Crowd()
    crowd.wire = await open_wire(parts.address, "bench-crowd", crowd.hear)
    await crowd.subscribe()
    database = await asyncpg.connect(parts.database)
    try:
        await database.execute("CREATE TABLE bench_commit (id int)")
        http = await HttpWire.open(parts.http, PASSWORD)
        bench = Bench(http=http, crowd=crowd, database=database)
        await bench.until_online()
        yield bench
        http.close()
    finally:
        await database.close()
        crowd.wire.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in two minutes")
    parser.add_argument("--times", type=int, default=150, help="stops of each kind")
    parser.add_argument("--only", nargs="+", choices=FLOODS, default=list(FLOODS))
    options = parser.parse_args()
    times = 10 if options.quick else options.times
    report = Report(benchmark="emergency", settings={"times": times, "devices": DEVICES})
    uvloop.run(measure(times, options.only, report))
    report.finish()


if __name__ == "__main__":
    main()
