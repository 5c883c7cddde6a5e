"""What rules cost: of each reading, and of the time from a reading to what it switches.

`python -m bench.rules [--quick]`. First the engine alone, as the server puts it together, without
broker and database: readings of one sensor, of which ten rules watch, of 10, 100 and 1,000. The
floor of each is that of the ten: rules that do not watch a sensor must cost nothing. Conditions are
of every kind, and none comes true: what an execution costs is the other half.

Then the whole server, PostgreSQL, a broker and twenty boards, while 1,000 readings a second pour
in, each of them judged by a rule: a board's probe crosses its limit, and the pump of the next board
is to hear of it. From the commit of the reading (PostgreSQL's own time) to the instant in which the
rule decided, and to that in which the board has its command. The floor is what nobody can do
without: three commits (execution, command, lease) and a message with QoS 2, beside the same flood.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import sin
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from app.clock import SystemClock
from app.ground import Addresses, Ground
from app.parts import make_parts
from app.settings import load_settings
from bench import floors
from bench.generator import DEVICES, topic
from bench.graphql_wire import HttpWire
from bench.ingest import until_stored, warm_up
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import PASSWORD, Parts, generator, running_parts, running_server
from bench.processes import cpu_seconds
from bench.reporting import Report, percentile
from domain.actuators import CommandAction, Pin
from domain.devices import Discovery
from domain.rule_executions import StoredRule
from domain.rules.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Stale,
    Threshold,
)
from domain.rules.model import CommandStep, Rule, RuleMode
from domain.rules.schedule import TimeWindow
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor, SensorKey
from domain.services.automate import Automate
from mqtt_bridge.intake import Intake

WATCHING = 10
SIZES = (10, 100, 1000)
ROUNDS = 50
APART = timedelta(milliseconds=30)

BOARDS = 20
RATE = 1000
EDGES_A_SECOND = 20
TURNS = 5
AIM = 50.0
_GPIO = 5
_HOT, _COLD = 600, 300
"""Raw values of a DS18B20: 37.5 and 18.75 °C."""

_PATIENCE = 30.0
_POLL = 0.05
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()
_PROBE = Sensor(
    id=1,
    key=SensorKey("ESP_000001", 4, "ds18b20"),
    name="probe",
    created_at=SystemClock().now(),
    updated_at=SystemClock().now(),
)


# ---------------------------------------------------------------- the engine alone


class Engine:
    """The rules of a server that is connected to nothing."""

    def __init__(self) -> None:
        addresses = Addresses(
            database="postgres://", broker="mqtt://127.0.0.1:1", events="memory://"
        )
        settings = load_settings({})
        self._ground = Ground(addresses, Discovery.AUTO, settings.defaults)
        parts = make_parts(self._ground, settings, Intake)
        self._automate: Automate = parts.rules.automate

    def put(self, number: int, sensor: SensorKey) -> float:
        """Put a rule to work; return the CPU seconds that this took."""
        now = self._ground.clock.now()
        stored = StoredRule(rule=_rule(number, sensor), created_at=now, updated_at=now)
        return self._timed(lambda: self._automate.put(stored))

    def read(self, readings: Sequence[Reading]) -> float:
        """Let readings be judged; return the CPU seconds that this took."""
        return self._timed(lambda: self._ground.world(readings))

    def look(self) -> float:
        """Look at clock and devices; return the CPU seconds that this took."""
        return self._timed(self._automate.look)

    def _timed(self, job: Callable[[], None]) -> float:
        began = _used()
        job()
        return _used() - began


def _used() -> float:
    """Return the CPU seconds of this thread: it waits for nothing, and others use the machine."""
    return time.thread_time()


def _rule(number: int, sensor: SensorKey) -> Rule:
    other = SensorKey("ESP_FFFFFF", number, "ds18b20")
    conditions = _conditions(sensor, other)
    never = Stale(sensor=sensor, older_than=timedelta(days=1))
    return Rule(
        id=UUID(int=number + 1),
        version=1,
        name=f"rule {number}",
        condition=AllOf((*conditions[number % len(conditions)], never)),
        actions=(CommandStep(pin=Pin("ESP_FFFFFF", number), action=CommandAction.ON),),
        mode=RuleMode.TRIGGER,
    )


def _conditions(one: SensorKey, other: SensorKey) -> Sequence[tuple[Condition, ...]]:
    """Return conditions of every kind that look at one sensor, and some at another."""
    warm = Threshold(
        sensor=one, limit=Limit(Operator.GT, 20.0), unit="°C", hold_for=timedelta(minutes=10)
    )
    held = Hysteresis(sensor=one, activate=18.0, deactivate=20.0, rising=False, unit="°C")
    night = TimeWindow(start=22 * 60, end=6 * 60, time_zone="Europe/Berlin")
    return (
        (warm,),
        (held, Not(night)),
        (Comparison(left=one, operator=Operator.GT, right=other, offset=1.0), night),
        (Rate(sensor=one, limit=Limit(Operator.LT, -0.5), over=timedelta(minutes=5)),),
        (AnyOf((warm, held)), Not(Stale(sensor=other, older_than=timedelta(hours=1)))),
    )


def measure_engine(readings: int, report: Report) -> None:
    """Take readings in with more and more rules, of which always ten watch."""
    engines = {size: Engine() for size in (0, *SIZES)}
    putting = {size: _put(engine, size) for size, engine in engines.items()}
    # The last one was measured just now: none is too old, and none from the future.
    start = SystemClock().now() - ROUNDS * readings * APART
    spent: dict[int, list[float]] = {size: [] for size in engines}
    for number in range(ROUNDS):
        batch = _readings(readings, number * readings, start)
        # Side by side, so that whatever else the machine does falls on all of them.
        for size, engine in engines.items():
            spent[size].append(engine.read(batch) / readings)
    least = _name(SIZES[0])
    for size, seconds in spent.items():
        floor = least if size > SIZES[0] else ""
        aim = ">= 0.9" if floor else ""
        report.add(_name(size), 1.0 / min(seconds), "readings/s", floor=floor, target=aim)
    report.add("one judgement", min(spent[SIZES[0]]) / WATCHING * 1e6, "us")
    for size in SIZES:
        look = min(engines[size].look() for _ in range(ROUNDS))
        report.add(f"{size:,} rules: a look at clock and devices", look * 1e6, "us")
        report.add(f"{size:,} rules: the last one put to work", putting[size] * 1e6, "us")


def _name(size: int) -> str:
    return f"{size:,} rules, {WATCHING} of them watch" if size else "no rules"


def _put(engine: Engine, size: int) -> float:
    """Put rules to work; return the seconds that the last one took."""
    last = 0.0
    for number in range(size):
        unread = SensorKey("ESP_000002", number, "ds18b20")
        last = engine.put(number, _PROBE.key if number < WATCHING else unread)
    return last


def _readings(count: int, first: int, start: datetime) -> Sequence[Reading]:
    return [
        Reading(
            id=number,
            sensor=_PROBE,
            measured_at=(at := start + number * APART),
            received_at=at,
            raw_value=320.0,
            measurement=Measurement(
                20.0 + 5.0 * sin(number / 200.0), "°C", Quality.GOOD, ProcessingMode.RAW
            ),
        )
        for number in range(first + 1, first + count + 1)
    ]


# ---------------------------------------------------------------- the whole server


@dataclass(slots=True)
class Boards:
    """Boards with a probe and a pump each, on one connection; each obeys at once.

    Attributes:
        heard: Unix seconds at which a board had its command, by the id of the command.
    """

    wire: MqttWire | None = None
    heard: dict[UUID, float] = field(default_factory=dict)
    _sequence: int = 0
    _clock: SystemClock = field(default_factory=SystemClock)

    def hear(self, message: Message) -> None:
        """Take in a command, and obey."""
        command = _DECODER.decode(message.payload)
        self.heard[UUID(command["correlation_id"])] = self._clock.now().timestamp()
        esp_id = message.topic.decode().split("/")[3]
        answer = {
            "ts": 0,
            "gpio": _GPIO,
            "command": command["command"],
            "value": command["value"],
            "duration": 0,
            "success": True,
            "message": "Command executed",
            "correlation_id": command["correlation_id"],
        }
        self._say(esp_id, f"actuator/{_GPIO}/response", answer)

    def announce(self) -> None:
        """Let the server hear of boards and probes."""
        for number in range(BOARDS):
            alive = {"ts": 0, "uptime": 1, "heap_free": 150_000, "wifi_rssi": -60}
            self._say(_board(number), "system/heartbeat", alive)
            self.show(number, _COLD)

    def show(self, number: int, raw: int) -> None:
        """Let a probe show something."""
        self._sequence += 1
        said = {
            "seq": self._sequence,
            **_probe(number),
            "raw": raw,
            "raw_mode": True,
            "ts": int(self._clock.now().timestamp()),
            "time_valid": True,
        }
        said["sensor_type"] = said.pop("sensorType")
        del said["espId"]
        self._say(_board(number), "sensor/4/data", said)

    def _say(self, esp_id: str, what: str, fields: Mapping[str, object]) -> None:
        assert self.wire is not None  # noqa: S101 - it is connected before it hears
        place = f"kaiser/god/esp/{esp_id}/{what}".encode()
        self.wire.publish(place, _ENCODER.encode({"esp_id": esp_id, **fields}), 1)


def _board(number: int) -> str:
    return f"ESP_B0{number % BOARDS:04X}"


def _probe(number: int) -> dict[str, object]:
    return {"espId": _board(number), "gpio": 4, "sensorType": "ds18b20"}


async def measure_server(edges: int, report: Report) -> None:
    """Let probes cross their limits beside a flood, and compare when and what came of it."""
    async with running_parts() as parts:
        database = await asyncpg.connect(parts.database)
        boards = Boards()
        boards.wire = await open_wire(parts.address, "bench-boards", boards.hear)
        await boards.wire.subscribe([("kaiser/god/esp/+/actuator/+/command", 2)])
        try:
            async with running_server(parts) as running:
                await warm_up(running, database)
                await _set_up(running, boards)
                flood = ("--messages", str(RATE * 3600), "--rate", str(RATE))
                async with generator(running, *flood):
                    await until_stored(database, 10 * DEVICES + RATE)
                    floor = await _take_turns(running, database, boards, edges, report)
            await _report_latency(database, boards, edges, floor, report)
        finally:
            boards.wire.close()
            await database.close()


async def _take_turns(
    parts: Parts, database: asyncpg.Connection, boards: Boards, edges: int, report: Report
) -> Sequence[float]:
    """Measure rules and floor in turns, so that both see the same machine; return the floor."""
    clock, server = SystemClock(), parts.pids["server"]
    rows, used, began = await _count(database), cpu_seconds(server), clock.monotonic()
    floor: list[float] = []
    for turn in range(TURNS):
        await _cross(boards, range(turn * edges // TURNS, (turn + 1) * edges // TURNS))
        floor += await floors.commits_and_message(parts, database, edges // TURNS // 4, _COMMITS)
    seconds = clock.monotonic() - began
    report.add("readings stored", (await _count(database) - rows) / seconds, "/s")
    report.add("the server's core in use", (cpu_seconds(server) - used) / seconds * 100, "%")
    return floor


async def _set_up(parts: Parts, boards: Boards) -> None:
    """Let the server know of the boards, and make the rules: theirs, and some of the flood."""
    http = await HttpWire.open(parts.http, PASSWORD)
    boards.announce()
    async with asyncio.timeout(_PATIENCE):
        while (await http.ask(_KNOWN))["sensors"]["totalCount"] < BOARDS + DEVICES:
            await SystemClock().sleep(_POLL)
    for number in range(BOARDS):
        pump = {"espId": _board(number), "gpio": _GPIO, "actuatorType": "pump", "name": "Pump"}
        await http.ask(_SET_ACTUATOR, {"input": pump})
        # It is hot and cold within a second: that is no fault of the probe.
        limits = {"unit": "°C", "maxRate": 1000}
        await http.ask(_SET_SENSOR, {"input": {**_probe(number), "qualityLimits": limits}})
    for number in range(BOARDS):
        hot = {"sensor": _probe(number), "activateAbove": 30, "deactivateBelow": 25}
        await _make_rule(http, f"Edge {number}", {"hysteresis": hot}, _board(number + 1))
    for device in range(DEVICES):
        probe = {"espId": topic(device)[15:25].decode(), "gpio": 4, "sensorType": "ds18b20"}
        probe["address"] = "28FF641E8D3C0C79"
        boiling = {"sensor": probe, "operator": "GT", "value": 90, "unit": "°C"}
        watched = {"threshold": {**boiling, "holdFor": "PT1M"}}
        await _make_rule(
            http, f"Flood {device}", watched, _board(device), priority=60 + device % 40
        )
    http.close()


async def _make_rule(
    http: HttpWire, name: str, condition: object, esp_id: str, **more: object
) -> None:
    command = {"actuator": {"espId": esp_id, "gpio": _GPIO}, "action": "ON"}
    rule = {"name": name, "condition": condition, "actions": [{"command": command}], **more}
    made = (await http.ask(_CREATE_RULE, {"input": rule}))["createRule"]
    if made["warnings"]:
        raise RuntimeError(f"{name}: {made['warnings']}")


async def _cross(boards: Boards, edges: range) -> None:
    """Let one probe after the other get hot, and then cold again."""
    clock = SystemClock()
    began = clock.monotonic()
    for number, edge in enumerate(edges, start=1):
        boards.show(edge % BOARDS, _COLD if edge // BOARDS % 2 else _HOT)
        await clock.sleep(began + number / EDGES_A_SECOND - clock.monotonic())
    async with asyncio.timeout(_PATIENCE):
        while len(boards.heard) < edges.stop:
            await clock.sleep(_POLL)


async def _report_latency(
    database: asyncpg.Connection,
    boards: Boards,
    edges: int,
    floor: Sequence[float],
    report: Report,
) -> None:
    rows = await database.fetch(_LATENCIES)
    if len(rows) != edges or len(boards.heard) != edges:
        raise RuntimeError(f"{edges} edges: {len(rows)} commands, {len(boards.heard)} heard")
    decided = [row["decided"] - row["stored"] for row in rows]
    heard = [boards.heard[row["id"]] - row["stored"] for row in rows]
    for share in (0.5, 0.99):
        name = f"p{share * 100:.0f}"
        least = f"{_COMMITS} commits and a message, {name}"
        report.add(f"stored to decided, {name}", percentile(decided, share) * 1e3, "ms")
        report.add(
            f"stored to command at its board, {name}",
            percentile(heard, share) * 1e3,
            "ms",
            floor=least,
            target=f"<= {AIM:g} ms",
        )
        report.add(least, percentile(floor, share) * 1e3, "ms")
    report.add("stored to command at its board, longest", max(heard) * 1e3, "ms")
    report.notes.append(f"{edges} edges, {len(rows)} commands, each exactly once")


async def _count(database: asyncpg.Connection) -> int:
    rows: int = await database.fetchval("SELECT count(*) FROM reading")
    return rows


_COMMITS = 3
_KNOWN = "{ sensors { totalCount } }"
_SET_ACTUATOR = "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { id } }"
_SET_SENSOR = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { id } }"
_CREATE_RULE = "mutation($input: RuleInput!) { createRule(input: $input) { warnings } }"
_LATENCIES = """
SELECT command.id,
       extract(epoch FROM pg_xact_commit_timestamp(reading.xmin))::float8 AS stored,
       extract(epoch FROM rule_execution.triggered_at)::float8 AS decided
FROM command
JOIN rule_execution ON rule_execution.id = command.execution_id
JOIN reading ON reading.id = rule_execution.reading_id
            AND reading.measured_at = rule_execution.measured_at
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in half a minute")
    parser.add_argument("--edges", type=int, default=1200, help="how often a probe crosses")
    parser.add_argument("--engine", action="store_true", help="the engine alone")
    options = parser.parse_args()
    edges, readings = (200, 50) if options.quick else (options.edges, 400)
    settings = {"edges": edges, "readings": readings, "watching": WATCHING}
    report = Report(benchmark="rules", settings=settings)
    measure_engine(readings, report)
    if not options.engine:
        uvloop.run(measure_server(edges, report))
    report.finish()


if __name__ == "__main__":
    main()
