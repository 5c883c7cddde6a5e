"""What rules cost: of each reading, and of the time from a reading to what it switches.

`python -m bench.rules [--quick]`. First the engine alone (`bench.rule_engine`).

Then the whole server, PostgreSQL, a broker and twenty boards, while 1,000 readings a second pour
in, each of them judged by a rule: a board's probe crosses its limit, and the pump of the next board
is to hear of it. From the commit of the reading (PostgreSQL's own time) to the instant in which the
rule decided, and to that in which the board has its command. The floor is what nobody can do
without: three commits (execution, command, lease) and a message with QoS 2, beside the same flood.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from app.clock import SystemClock
from bench import floors
from bench.generator import DEVICES, name_of
from bench.graphql_wire import HttpWire
from bench.ingest import until_stored, warm_up
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import PASSWORD, Parts, generator, running_parts, running_server
from bench.processes import cpu_seconds
from bench.reporting import Report, percentile
from bench.rule_engine import WATCHING, measure_engine

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
        probe = {"espId": name_of(device), "gpio": 4, "sensorType": "ds18b20"}
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
