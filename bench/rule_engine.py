"""What the engine of rules costs, as the server puts it together, without broker and database.

Readings of one sensor, of which ten rules watch, of 10, 100 and 1,000. The floor of each is that of
the ten: rules that do not watch a sensor must cost nothing. Conditions are of every kind, and none
comes true: what an execution costs is the other half (`bench.rules`).
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import sin
from uuid import UUID

from app.clock import SystemClock
from app.ground import Addresses, Ground
from app.parts import make_parts
from app.settings import load_settings
from bench.reporting import Report
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

_PROBE = Sensor(
    id=1,
    key=SensorKey("ESP_000001", 4, "ds18b20"),
    name="probe",
    created_at=SystemClock().now(),
    updated_at=SystemClock().now(),
)


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
