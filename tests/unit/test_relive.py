"""The past is lived through in stretches: as much at a time as memory has room for, and no less."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from domain.actuators import CommandAction, Pin
from domain.errors import StorageUnavailableError
from domain.repositories import PastReadings
from domain.rules.conditions import Limit, Operator, Threshold
from domain.rules.model import CommandStep, Rule, RuleMode
from domain.rules.past import Kind, Past, microseconds
from domain.rules.world import Observation
from domain.sensors import Quality
from domain.services.relive import LONGEST, READ, Rehearsal, relive
from tests.fakes import START
from tests.makers import make_sensor

SENSOR = make_sensor()
CELSIUS = Kind("°C", Quality.GOOD)
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Talkative(PastReadings):
    """A sensor that says the same again and again."""

    every: timedelta
    asked: list[timedelta] = field(default_factory=list)
    told: list[int] = field(default_factory=list)

    @override
    async def of(
        self, sensor_ids: Sequence[int], start: datetime, end: datetime
    ) -> Mapping[int, Past]:
        step = self.every // timedelta(microseconds=1)
        first = -(-microseconds(start) // step) * step
        moments = array("q", range(first, microseconds(end), step))
        self.asked.append(end - start)
        self.told.append(len(moments))
        number, values = len(moments), array("d", [21.0]) * len(moments)
        return {SENSOR.id: Past(moments, moments, moments, values, [CELSIUS] * number)}

    @override
    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        return {}


def rehearsal(days: float) -> Rehearsal:
    rule = Rule(
        id=UUID(int=1),
        version=1,
        name="Cool",
        condition=Threshold(sensor=SENSOR.key, limit=Limit(Operator.GT, 20.0)),
        actions=(CommandStep(pin=Pin("ESP_12AB34", 20), action=CommandAction.ON),),
        mode=RuleMode.TRIGGER,
    )
    return Rehearsal(
        rules=[rule],
        sensors={SENSOR.key: SENSOR.id},
        actuators={},
        start=START - timedelta(days=days),
        end=START,
    )


@pytest.mark.parametrize(
    ("every", "days"),
    [(timedelta(milliseconds=100), 0.6), (SECOND, 6.0), (timedelta(hours=1), 900.0)],
    ids=["ten a second", "one a second", "one an hour"],
)
async def test_memory_is_bounded_however_often_a_sensor_speaks(
    every: timedelta, days: float
) -> None:
    past, told = Talkative(every), list[float]()
    (found,) = await relive(past, rehearsal(days), told.append)
    assert found.readings == timedelta(days=days) // every
    assert found.firing_count == 1
    assert max(past.told) <= READ * 1.5
    assert max(past.asked) <= LONGEST + timedelta(hours=1)
    assert len(past.asked) <= 8 + max(sum(past.told) / READ * 2, timedelta(days=days) / LONGEST)
    assert told == sorted(told)
    assert told[-1] == 1.0


class _Gone(Talkative):
    @override
    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        raise StorageUnavailableError("the database is away")


async def test_a_database_that_is_away_is_told_as_such() -> None:
    with pytest.raises(StorageUnavailableError):
        await relive(_Gone(SECOND), rehearsal(1))
