"""Kills server, broker and database while a square wave runs through rules, and counts.

A board sends numbered readings, keeps each and sends it again until the broker confirms it. Which
edges there are is read from what is stored, in the order of commits; what was done about them, from
the stored executions and from what another board heard.
"""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import asyncpg
import httpx2

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from domain.errors import BrokerUnavailableError
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from simulator.actuators import VirtualActuator
from simulator.connections import Connect, Connection, Line, mqtt
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD
from simulator.fleet import Fleet
from tests.e2e.boards import SettlingClock
from tests.e2e.dying_server import Window
from tests.e2e.load import quick_guard
from tests.e2e.outages import bring_back, cut_off
from tests.e2e.server import ServerProcess, free_port
from tests.eventually import eventually

PROBE, BOARD = "ESP_0B5E55", "ESP_B0A4D5"
PUMP, VALVE = 5, 6
SENSOR = {"espId": PROBE, "gpio": 4, "sensorType": "ds18b20"}
TOPIC = f"kaiser/god/esp/{PROBE}/sensor/4/data"
COLD, MIDDLE, HOT = 29.5, 30.0, 30.5

EVERY = 0.2
"""Seconds between two readings."""

PHASE = 4
"""Readings before the wave turns."""

LONGEST_OUTAGE = 6.0
"""Seconds after which the probe rests: more edges at once than a rule's queue holds are dropped."""

PATIENCE = 60.0
QUIET = 2.0


class Fault(NamedTuple):
    """What is killed.

    Attributes:
        window: In which moment the server ends itself; None: it is killed in any.
        again: Whether it dies once more while it judges what has gathered meanwhile.
    """

    parts: frozenset[str]
    window: Window | None = None
    again: bool = False


SERVER = frozenset({"server"})
BROKER, DATABASE = frozenset({"broker"}), frozenset({"database"})

FAULTS = (
    Fault(SERVER, Window.JUDGING, again=True),
    Fault(SERVER, Window.ACTING),
    Fault(SERVER | BROKER | DATABASE),
    Fault(SERVER, Window.STORING),
    Fault(DATABASE),
    Fault(SERVER | DATABASE, Window.JUDGING),
    Fault(BROKER),
    Fault(SERVER, Window.NOTING, again=True),
    Fault(SERVER),
    Fault(SERVER | BROKER, Window.ACTING),
    Fault(BROKER | DATABASE),
    Fault(SERVER | BROKER | DATABASE, Window.NOTING),
    Fault(SERVER, again=True),
)


class Counted(NamedTuple):
    """What became of the edges that one rule was to act on.

    Attributes:
        edges: How many there were.
        missing: Readings that made an edge without an execution.
        doubled: Readings that made more than one.
        strays: Readings that made one without an edge; None: no reading made it.
    """

    edges: int
    missing: Sequence[int]
    doubled: Sequence[int]
    strays: Sequence[int | None]

    @property
    def exact(self) -> bool:
        """Whether every edge made exactly one."""
        return not (self.missing or self.doubled or self.strays)


@dataclass
class Wave:
    """A probe that shows a square wave."""

    broker_url: str
    sent: int = 0
    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    _clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.may_go.set()
        self._session = MqttSession(
            address=BrokerAddress.from_url(self.broker_url),
            client_id="a-probe",
            filters=(),
            deliver=lambda _delivery: None,
            guard=quick_guard("probe"),
            clean=True,
        )

    async def connect(self) -> None:
        """Be connected until cancelled."""
        await self._session.run()

    async def run(self) -> None:
        """Go up and down until cancelled."""
        while True:
            await self.may_go.wait()
            await self.show(HOT if self.sent // PHASE % 2 else COLD)
            await asyncio.sleep(EVERY)

    async def show(self, celsius: float) -> None:
        """Send one reading until the broker has it."""
        self.sent += 1
        said = {
            "esp_id": PROBE,
            "gpio": 4,
            "sensor_type": "ds18b20",
            "raw": round(celsius * 16),
            "raw_mode": True,
            "ts": int(self._clock.now().timestamp() * 1000),
            "seq": self.sent,
        }
        while True:
            try:
                return await self._session.publish(TOPIC, json.dumps(said).encode(), qos=1)
            except BrokerUnavailableError:
                await asyncio.sleep(0.05)


@dataclass
class Board:
    """A board with pumps, and the commands that reached it: which, and what was wanted."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pins = (PUMP, VALVE)
        self.device = VirtualDevice(
            esp_id=BOARD,
            dialect=HEAD,
            kaiser_id="god",
            actuators=tuple(VirtualActuator(gpio=gpio, actuator_type="pump") for gpio in pins),
        )

    def tapped(self, connect: Connect) -> Connect:
        """Return connections that write down the commands."""

        def connecting(line: Line) -> Connection:
            def deliver(delivery: Delivery) -> None:
                if delivery.topic.endswith("/command") and "/actuator/" in delivery.topic:
                    said = json.loads(delivery.payload)
                    self.heard.append((said["correlation_id"], said["command"]))
                line.deliver(delivery)

            return connect(
                Line(
                    client_id=line.client_id,
                    subscriptions=line.subscriptions,
                    last_word=line.last_word,
                    deliver=deliver,
                    connected=line.connected,
                )
            )

        return connecting


@dataclass
class Plant:
    """Server, broker and database in processes of their own; probe and board beside the test."""

    server: ServerProcess
    broker: EmbeddedBroker
    database: EmbeddedPostgres
    fate: Path
    random: Random
    wave: Wave
    board: Board
    token: str = ""

    async def live_through(self, faults: Sequence[Fault]) -> dict[str, Counted]:
        """Let the wave run while everything is killed in turn; then count."""
        async with asyncio.TaskGroup() as tasks:
            waving = tasks.create_task(self.wave.run())
            for fault in faults:
                await self.outage(fault)
            waving.cancel()
        await self.wave.show(MIDDLE)
        return await self.count()

    # ------------------------------------------------------------ one outage

    async def outage(self, fault: Fault) -> None:
        """Kill, bring back, and wait until everything works again."""
        others = sorted(fault.parts - {"server"})
        if fault.window is not None:
            self.fate.write_text(f"{fault.window} {self.random.randint(0, 4)}")
            os.kill(self.server.pid, signal.SIGUSR1)
            await eventually(
                lambda: not self.server.running, within=PATIENCE, what=f"it ends in {fault.window}"
            )
            self.fate.unlink()
        else:
            await asyncio.sleep(self.random.uniform(0.3, 1.5))
        resting = asyncio.get_running_loop().call_later(LONGEST_OUTAGE, self.wave.may_go.clear)
        for part in self.random.sample(others, len(others)):
            cut_off(self.broker if part == "broker" else self.database)
            await asyncio.sleep(self.random.uniform(0.0, 0.3))
        if "server" in fault.parts:
            await self.server.kill()
        async with asyncio.TaskGroup() as tasks:
            for part in sorted(fault.parts):
                tasks.create_task(self._restore(part, self.random.uniform(0.0, 1.0), fault))
        await eventually(self._is_ready, within=PATIENCE, what="the server is ready")
        resting.cancel()
        self.wave.may_go.set()

    async def _restore(self, part: str, after: float, fault: Fault) -> None:
        await asyncio.sleep(after)
        if part != "server":
            await bring_back(self.broker if part == "broker" else self.database)
            return
        if fault.again:
            await self._launch_doomed()
        await self.server.launch()

    async def _launch_doomed(self) -> None:
        self.fate.write_text(f"{Window.JUDGING} {self.random.randint(0, 6)}")
        await self.server.launch()
        await eventually(lambda: not self.server.running, within=PATIENCE, what="it dies again")
        self.fate.unlink()

    async def _is_ready(self) -> bool:
        try:
            return (await self.server.health())[0] == 200
        except httpx2.TransportError:
            return False

    # ------------------------------------------------------------ rules

    async def ask(self, query: str, **variables: object) -> dict[str, Any]:
        answer = await self.server.post({"query": query, "variables": variables}, self.token)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def until_known(self) -> None:
        await self.wave.show(MIDDLE)

        async def known() -> bool:
            data = await self.ask(_KNOWN, probe=PROBE, board=BOARD, pump=PUMP, valve=VALVE)
            online = (data["device"] or {}).get("status") == "ONLINE"
            return online and all(data[name] for name in ("sensor", "pump", "valve"))

        await eventually(known, within=PATIENCE, what="probe and pumps are known")
        limits = {"unit": "°C", "maxRate": 1_000_000}
        await self.ask(_STEEP, input={**SENSOR, "qualityLimits": limits})

    async def make_rules(self) -> None:
        """Make one rule of each kind: it commands, it tells, it holds."""
        pump = {"command": {"actuator": _pin(PUMP), "action": "ON", "duration": "PT1S"}}
        valve = {"command": {"actuator": _pin(VALVE), "action": "ON"}}
        notify = {"notify": {"message": "It is hot.", "severity": "INFO"}}
        for rule in (
            {"name": "Pump", "condition": _limit("GT"), "actions": [pump]},
            {"name": "Tell", "condition": _limit("GT"), "actions": [notify]},
            {"name": "Valve", "condition": _limit("LT"), "actions": [valve], "mode": "HOLD"},
        ):
            await self.ask(_CREATE, input=rule)

    # ------------------------------------------------------------ counting

    async def until_quiet(self, store: asyncpg.Connection) -> None:
        """Wait until nothing arrives any more and nothing is under way."""
        time = asyncio.get_running_loop().time
        seen: list[tuple[object, ...]] = []
        since = time()

        async def is_quiet() -> bool:
            nonlocal since
            (row,) = await store.fetch(_PROGRESS)
            now = tuple(row)
            if seen != [now]:
                seen[:], since = [now], time()
            return time() - since > QUIET and now[-1] == 0

        await eventually(is_quiet, within=PATIENCE, what="all is done")

    async def count(self) -> dict[str, Counted]:
        """Return what became of the edges, rule by rule, once all is quiet."""
        store = await asyncpg.connect(self.database.url)
        try:
            await self.until_quiet(store)
            readings = [(row["id"], row["value"]) for row in await store.fetch(_READINGS)]
            made: dict[str, list[int | None]] = {"Pump": [], "Tell": [], "Valve": []}
            for row in await store.fetch(_EXECUTIONS):
                made[row["name"]].append(row["reading_id"])
        finally:
            await store.close()
        rising, falling = list(_turns(readings, HOT)), list(_turns(readings, COLD))
        wanted = {"Pump": rising, "Tell": rising, "Valve": falling}
        return {name: _counted(wanted[name], made[name]) for name in wanted}

    async def obeyed_twice(self) -> list[str]:
        """Return the actions of executions whose command the board heard more than once."""
        store = await asyncpg.connect(self.database.url)
        try:
            rows = await store.fetch(_COMMANDS)
        finally:
            await store.close()
        actions = {str(row["id"]): row["idempotency_key"] for row in rows}
        heard = Counter(actions[one] for one, _ in self.board.heard if one in actions)
        return [action for action, times in heard.items() if times > 1]

    async def share_stored(self) -> float:
        """Return how much of what the probe sent is stored: a broker that is killed forgets."""
        store = await asyncpg.connect(self.database.url)
        try:
            stored: int = await store.fetchval("SELECT count(*) FROM reading")
        finally:
            await store.close()
        return stored / self.wave.sent


def _turns(readings: Sequence[tuple[int, float]], value: float) -> Iterator[int]:
    """Yield the readings that are the first ones with a value after another one."""
    before = MIDDLE
    for reading_id, now in readings:
        if now == value != before:
            yield reading_id
        before = now


def _counted(edges: Sequence[int], made: Sequence[int | None]) -> Counted:
    times = Counter(made)
    known = set(edges)
    return Counted(
        len(edges),
        [edge for edge in edges if not times[edge]],
        [edge for edge in edges if times[edge] > 1],
        [cause for cause in made if cause not in known],
    )


def _pin(gpio: int) -> dict[str, object]:
    return {"espId": BOARD, "gpio": gpio}


def _limit(operator: str) -> dict[str, object]:
    return {"threshold": {"sensor": SENSOR, "operator": operator, "value": MIDDLE, "unit": "°C"}}


_KNOWN = """query($probe: String!, $board: String!, $pump: Int!, $valve: Int!) {
    sensor(espId: $probe, gpio: 4, sensorType: "ds18b20") { id }
    device(espId: $board) { status }
    pump: actuator(espId: $board, gpio: $pump) { id }
    valve: actuator(espId: $board, gpio: $valve) { id }
}"""
_STEEP = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { id } }"
_CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { id } }"

_PROGRESS = """
SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM rule_execution),
       (SELECT count(*) FROM rule_execution WHERE outcome = 'RUNNING')
"""

# In the order of commits, without those that came too late to be the newest.
_READINGS = """
SELECT id, value FROM (
    SELECT id, value, measured_at, max(measured_at) OVER (ORDER BY id) AS newest FROM reading
) AS numbered
WHERE measured_at = newest ORDER BY id
"""

# What was decided on an edge. What was repeated because a device was away has another reason.
_EXECUTIONS = """
SELECT name, reading_id FROM rule_execution JOIN rule ON rule.id = rule_id
WHERE why = 'TRUE' AND step IN ('FIRE', 'HOLD_BEGINS') ORDER BY rule_execution.id
"""

_COMMANDS = "SELECT id, idempotency_key FROM command WHERE idempotency_key IS NOT NULL"


@asynccontextmanager
async def plant(directory: Path, seed: int, mistake: str = "") -> AsyncIterator[Plant]:
    """Start everything, with its rules; let it go when the block ends."""
    database = EmbeddedPostgres(directory / "postgres", extra_settings={"fsync": "off"})
    broker = EmbeddedBroker(directory / "broker", port=free_port())
    fate = directory / "fate"
    async with database, broker:
        server = ServerProcess(
            directory,
            {"KAISER_DATABASE_URL": database.url, "KAISER_MQTT_URL": broker.url},
            program=("-m", "tests.e2e.dying_server", str(fate), *([mistake] if mistake else [])),
        )
        wave, board, clock = Wave(broker.url), Board(), SettlingClock()
        here = Plant(server, broker, database, fate, Random(seed), wave, board)
        connect = board.tapped(mqtt(BrokerAddress.from_url(broker.url), clock))
        fleet = Fleet(devices=[board.device], connect=connect, clock=clock)
        await server.start()
        here.token = await server.login()
        try:
            async with asyncio.TaskGroup() as tasks:
                living = [tasks.create_task(fleet.run()), tasks.create_task(wave.connect())]
                await here.until_known()
                clock.settle()
                await here.make_rules()
                yield here
                for task in living:
                    task.cancel()
        finally:
            await server.kill()
