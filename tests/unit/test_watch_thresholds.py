"""Each edge of a threshold is told once, whatever arrives twice, late or spoilt."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.sensors import Measurement, ProcessingMode, Quality, Reading
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.watch_thresholds import FRESH, WatchThresholds
from domain.system_events import SystemEvent
from domain.thresholds import Zone, read_thresholds
from tests.eventually import eventually
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage
from tests.makers import make_device, make_guard, make_reading, make_sensor

GIVEN: Mapping[str, object] = {
    "unit": "°C",
    "warning": {"high": 30},
    "alarm": {"low": 5, "high": 35},
    "hysteresis": 1,
}


class House:
    def __init__(self, storage: FakeStorage | None = None) -> None:
        self.storage = storage or FakeStorage()
        self.clock = FakeClock(automatic=True)
        self.registry = Registry()
        self.registry.add_device(make_device(name="Bench"))
        self.sensor = make_sensor(name="Air", thresholds=read_thresholds(GIVEN))
        self.registry.put_sensors([self.sensor])
        guard = make_guard(self.clock)
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=FakeEventStream(),
            clock=self.clock,
            guard=guard,
            new_id=uuid4,
        )
        self.watch = WatchThresholds(
            storage=self.storage,
            registry=self.registry,
            clock=self.clock,
            guard=guard,
            record=self.record,
        )
        self._number = 0

    def hear(self, value: float | None, **changes: object) -> Reading:
        self._number += 1
        measurement = Measurement(value, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED)
        reading = make_reading(self._number, sensor=self.sensor, measurement=measurement)
        reading = reading._replace(**changes)  # type: ignore[arg-type]  # any field
        self.watch([reading])
        return reading

    @property
    def told(self) -> list[SystemEvent]:
        return [burst.event for burst in self.record._waiting]

    @property
    def kinds(self) -> list[str]:
        return [f"{event.kind} {event.severity}" for event in self.told]


CROSSED, RETURNED = "THRESHOLD_CROSSED", "THRESHOLD_RETURNED"


def test_crossing_and_coming_back_are_told_once_each() -> None:
    house = House()
    for value in (20, 31, 32, 36, 37, 35.5, 33, 28, 27):
        house.hear(value)
    assert house.kinds == [
        f"{CROSSED} WARNING",
        f"{CROSSED} CRITICAL",
        f"{RETURNED} WARNING",
        f"{RETURNED} INFO",
    ]
    assert [event.message for event in house.told] == [
        "Bench, Air: 31 °C, above the warning of 30 °C.",
        "Bench, Air: 36 °C, above the alarm of 35 °C.",
        "Bench, Air: 33 °C, no alarm any more, but still above the warning of 30 °C.",
        "Bench, Air: 28 °C, back to normal.",
    ]
    assert house.told[1].details == {
        "gpio": 4,
        "sensor_type": "ds18b20",
        "address": "",
        "zone": "ALARM_HIGH",
        "before": "WARNING_HIGH",
        "value": 36,
        "unit": "°C",
        "limit": 35,
        "measured_at": (START + timedelta(seconds=4)).isoformat(),
    }


def test_where_a_sensor_stands_and_since_when_can_be_asked() -> None:
    house = House()
    assert house.watch.standing(house.sensor.id) is None, "nothing was compared yet"
    house.hear(20)
    assert house.watch.standing(house.sensor.id) == (Zone.NORMAL, None)
    crossed = house.hear(31)
    house.hear(32)
    assert house.watch.standing(house.sensor.id) == (Zone.WARNING_HIGH, crossed.measured_at)
    house.registry.put_sensors([replace(house.sensor, thresholds=None)])
    assert house.watch.standing(house.sensor.id) is None


def test_an_edge_that_soon_comes_again_is_told_again() -> None:
    house = House()
    for value in (3, 20, 3, 20):
        house.hear(value)
    assert house.kinds == [f"{CROSSED} CRITICAL", f"{RETURNED} INFO"] * 2


def test_from_one_alarm_to_the_other_is_a_crossing() -> None:
    house = House()
    house.hear(40)
    house.hear(0)
    assert house.kinds == [f"{CROSSED} CRITICAL"] * 2


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.STALE, Quality.SUSPECT, Quality.ERROR])
def test_what_cannot_be_trusted_makes_no_edge(quality: Quality) -> None:
    house = House()
    house.hear(40, measurement=Measurement(40, "°C", quality, ProcessingMode.PI_ENHANCED))
    house.hear(None)
    assert house.told == []
    assert house.watch.counts.doubted == 2


def test_what_comes_late_or_out_of_order_makes_no_edge() -> None:
    house = House()
    soon = START + timedelta(seconds=60)
    house.hear(20, measured_at=START + timedelta(seconds=50), received_at=soon)
    house.hear(40, measured_at=START + timedelta(seconds=49), received_at=soon)
    house.hear(40, received_at=START + timedelta(hours=2), measured_at=START + timedelta(hours=1))
    assert house.told == []
    house.hear(
        40, measured_at=START + timedelta(hours=3), received_at=START + timedelta(hours=3) + FRESH
    )
    assert house.kinds == [f"{CROSSED} CRITICAL"]


def test_a_clock_that_runs_ahead_does_not_silence_the_sensor() -> None:
    house = House()
    house.hear(20, measured_at=START + timedelta(days=9), received_at=START)
    house.hear(40)
    assert house.kinds == [f"{CROSSED} CRITICAL"]


def test_values_are_compared_in_the_unit_of_the_thresholds_or_not_at_all() -> None:
    house = House()
    house.hear(86, measurement=Measurement(85.0, "°F", Quality.GOOD, ProcessingMode.LOCAL))
    assert house.told == [], "29.4 °C"
    house.hear(86, measurement=Measurement(95.0, "°F", Quality.GOOD, ProcessingMode.LOCAL))
    assert [event.details["value"] for event in house.told] == [35]
    for unit in ("µS/cm", "raw", None):
        house.hear(1, measurement=Measurement(2, unit, Quality.UNKNOWN, ProcessingMode.RAW))
    assert len(house.told) == 1
    assert house.watch.counts.unfit == 3


def test_a_device_that_was_not_let_in_raises_no_event() -> None:
    house = House()
    house.registry.change_device("ESP_12AB34", approved=False)
    house.hear(40)
    assert house.told == []


def test_thresholds_as_they_are_now_are_what_counts() -> None:
    house = House()
    house.hear(31)
    wider = read_thresholds({"unit": "°F", "warning": {"high": 104}})
    house.registry.put_sensors([replace(house.sensor, thresholds=wider)])
    house.hear(31)
    assert house.kinds == [f"{CROSSED} WARNING", f"{RETURNED} INFO"]
    house.hear(41)
    house.registry.put_sensors([replace(house.sensor, thresholds=None)])
    house.hear(41)
    assert house.watch.zone(house.sensor.id) is Zone.NORMAL
    assert len(house.told) == 3, "taking thresholds away is no return"


async def test_where_a_sensor_stands_survives_a_restart() -> None:
    house = House()
    async with asyncio.TaskGroup() as tasks:
        job = tasks.create_task(house.watch.run())
        house.hear(40)
        await eventually(lambda: house.storage.sensors.stand == {1: Zone.ALARM_HIGH})
        job.cancel()
    house.storage.sensors.since = {1: START}
    again = House(house.storage)
    await again.watch.load()
    again.hear(41)
    assert again.told == []
    assert again.watch.standing(again.sensor.id) == (Zone.ALARM_HIGH, START)
    again.hear(20)
    assert again.kinds == [f"{RETURNED} INFO"]
