"""Kills server, broker and database while leases are open, and sees when each pump goes off.

A run is one lease: its pump, its length, its beginning and its place in the outage are its own. It
is judged by what the board did, never by what the server says.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx2
from typing_extensions import override

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from simulator.dialects import DECEMBER, FEBRUARY, HEAD, NOVEMBER
from tests.e2e.boards import PINS, name_of
from tests.e2e.outages import bring_back, cut_off
from tests.e2e.server import ROOT, ServerProcess, free_port
from tests.eventually import eventually

BOUND = 2.0
"""Seconds that a pump may be on after its lease, or after everything that can stop it is back."""

PATIENCE = 45.0
NEVER = float("inf")
BOARDS = (NOVEMBER, DECEMBER, DECEMBER, FEBRUARY, HEAD, HEAD)

FAULTS: tuple[frozenset[str], ...] = tuple(
    frozenset(parts)
    for parts in (
        ("server",),
        ("server", "broker", "database"),
        ("database",),
        ("broker",),
        ("server", "database"),
        ("server", "broker"),
    )
)

ON = """mutation($input: SendCommandInput!) { sendCommand(input: $input) { status reason } }"""
KNOWN = "{ actuators(first: 100) { edges { node { id } } } devices { edges { node { status } } } }"


@dataclass
class Pump:
    """What a board does with one of its pins, on the clock that all processes share."""

    connected: bool = False
    connected_at: float = NEVER
    on: bool = False
    on_at: float = NEVER
    off_at: float = NEVER

    def hear(self, *, connected: bool, on: bool, at: float) -> None:
        if connected and not self.connected:
            self.connected_at = at
        if on and not self.on:
            self.on_at, self.off_at = at, NEVER
        if self.on and not on:
            self.off_at = at
        self.connected, self.on = connected, on


class Run(NamedTuple):
    """One lease: what was killed, on which board, and by how many seconds it went off too late."""

    fault: frozenset[str]
    dialect: str
    length: float
    overrun: float

    @override
    def __str__(self) -> str:
        killed = "+".join(sorted(self.fault))
        return f"{self.overrun:+.2f} s on {self.dialect} ({self.length:.1f} s, {killed} killed)"


@dataclass
class Plant:
    """Server, broker, database and boards, each in processes of its own."""

    server: ServerProcess
    broker: EmbeddedBroker
    database: EmbeddedPostgres
    dialects: Sequence[str]
    random: Random
    pumps: dict[tuple[str, int], Pump] = field(default_factory=dict)
    clock: SystemClock = field(default_factory=SystemClock)
    token: str = ""
    broker_died: bool = False

    # ------------------------------------------------------------ one round

    async def round(self, fault: frozenset[str], patience: float = PATIENCE) -> list[Run]:
        """Open a lease on every pump that can be told after it, kill, bring back, and judge.

        Args:
            fault: What is killed.
            patience: Seconds to wait for the last pump to go off; then it counts as it is.
        """
        self.broker_died |= "broker" in fault
        leases = {
            (name_of(number), gpio): self.random.uniform(1.0, 3.0)
            for (number, dialect), gpio in product(enumerate(self.dialects), PINS)
            # The first firmware hears nothing any more once it lost the broker.
            if not (self.broker_died and dialect == NOVEMBER.name)
        }
        async with asyncio.TaskGroup() as tasks:
            for pin, length in leases.items():
                tasks.create_task(self._switch_on(pin, length))
        await asyncio.sleep(self.random.uniform(0.0, 1.0))
        back_at = await self._kill_and_restore(fault)
        with suppress(AssertionError):
            await eventually(lambda: not any(self.pumps[pin].on for pin in leases), within=patience)
        return [self._judged(fault, pin, length, back_at) for pin, length in leases.items()]

    async def _switch_on(self, pin: tuple[str, int], length: float) -> None:
        esp_id, gpio = pin
        wish = {"espId": esp_id, "gpio": gpio, "action": "ON", "duration": f"PT{length:.3f}S"}
        answer: dict[str, Any] = {}

        async def done() -> bool:
            nonlocal answer
            answer = await self.server.post({"query": ON, "variables": {"input": wish}}, self.token)
            command = (answer.get("data") or {}).get("sendCommand") or {}
            return command.get("status") == "ACKNOWLEDGED"

        await eventually(done, within=PATIENCE, what=lambda: f"{pin} is on: {answer}")

    def _judged(
        self, fault: frozenset[str], pin: tuple[str, int], length: float, back_at: float
    ) -> Run:
        pump, dialect = self.pumps[pin], self.dialects[int(pin[0][-2:])]
        if dialect == HEAD.name:
            # It counts itself, in whole seconds, whoever else is away.
            latest = pump.on_at + float(-(-length // 1))
        else:
            latest = max(pump.on_at + length, back_at)
            if "broker" in fault:
                latest = max(latest, pump.connected_at)
        return Run(fault, dialect, length, min(pump.off_at, self.clock.monotonic()) - latest)

    # ------------------------------------------------------------ killing

    async def _kill_and_restore(self, fault: frozenset[str]) -> float:
        """Kill, one shortly after the other, and bring back in any order; return when all are."""
        for part in self.random.sample(sorted(fault), len(fault)):
            await asyncio.sleep(self.random.uniform(0.0, 0.3))
            await self._kill(part)
        async with asyncio.TaskGroup() as tasks:
            for part in sorted(fault):
                tasks.create_task(self._restore(part, self.random.uniform(0.2, 3.0)))
        return self.clock.monotonic()

    async def _kill(self, part: str) -> None:
        if part == "server":
            await self.server.kill()
        else:
            cut_off(self.broker if part == "broker" else self.database)

    async def _restore(self, part: str, after: float) -> None:
        await asyncio.sleep(after)
        if part == "server":
            await self.server.launch()
            await eventually(self._answers, within=PATIENCE, what="the server answers")
        else:
            await bring_back(self.broker if part == "broker" else self.database)

    async def _answers(self) -> bool:
        """Whether the server answers anything at all: that it is not ready yet is its own fault."""
        try:
            await self.server.health()
        except httpx2.TransportError:
            return False
        return True

    # ------------------------------------------------------------ boards

    async def hear(self, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            esp_id, gpio, connected, on, at = json.loads(line)
            self.pumps.setdefault((esp_id, gpio), Pump()).hear(connected=connected, on=on, at=at)

    async def until_known(self) -> None:
        async def known() -> bool:
            data = (await self.server.post({"query": KNOWN}, self.token))["data"]
            online = [e for e in data["devices"]["edges"] if e["node"]["status"] == "ONLINE"]
            wanted = len(self.dialects)
            return len(online) == wanted and len(data["actuators"]["edges"]) == wanted * len(PINS)

        await eventually(known, within=PATIENCE, what="every pump is known")


@asynccontextmanager
async def plant(
    directory: Path, seed: int, program: Sequence[str] = ("-m", "app", "serve")
) -> AsyncIterator[Plant]:
    """Start everything, and let it go when the block ends."""
    database = EmbeddedPostgres(directory / "postgres", extra_settings={"fsync": "off"})
    broker = EmbeddedBroker(directory / "broker", port=free_port())
    dialects = [dialect.name for dialect in BOARDS]
    async with database, broker:
        server = ServerProcess(
            directory,
            {"KAISER_DATABASE_URL": database.url, "KAISER_MQTT_URL": broker.url},
            program=program,
        )
        here = Plant(server, broker, database, dialects, Random(seed))
        await server.start()
        boards = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.e2e.boards", broker.url, *dialects),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert boards.stdin is not None
        assert boards.stdout is not None
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(here.hear(boards.stdout))
                here.token = await server.login()
                await here.until_known()
                boards.stdin.write(b"settle\n")
                yield here
                hearing.cancel()
        finally:
            boards.kill()
            await boards.wait()
            await server.stop()
