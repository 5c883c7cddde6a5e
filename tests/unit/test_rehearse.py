"""Rules are rehearsed on given values and on stored ones, and nothing is done by it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from domain.actuators import CommandAction, Pin
from domain.devices import DeviceStatus
from domain.errors import BadInputError, ConflictError, NotFoundError, OverloadedError
from domain.rules.conditions import AllOf, DeviceIs, Hysteresis, Limit, Operator, Threshold
from domain.rules.model import CommandStep, DelayStep, Rule, RuleMode
from domain.sensors import Quality, Sensor
from domain.services import rehearse, relive
from domain.services.registry import Registry
from domain.services.rehearse import Rehearse, RunState, Sample
from tests.eventually import eventually
from tests.fakes import START, FakeClock, FakeStorage, until
from tests.fakes.past import FakeRelive
from tests.makers import make_actuator, make_device, make_reading, make_sensor

MINUTE = timedelta(minutes=1)
PUMP = Pin("ESP_12AB34", 20)
SENSOR = make_sensor()
OTHER = make_sensor(gpio=5, id=2)
WARM = Threshold(sensor=SENSOR.key, limit=Limit(Operator.GT, 20.0), unit="°C")
RULE = Rule(
    id=UUID(int=7),
    version=1,
    name="Cool",
    condition=WARM,
    actions=(
        CommandStep(pin=PUMP, action=CommandAction.ON, duration=MINUTE),
        DelayStep(2 * MINUTE),
        CommandStep(pin=PUMP, action=CommandAction.OFF),
    ),
    mode=RuleMode.TRIGGER,
)


class Bench:
    """A service, and the past that it finds."""

    def __init__(self) -> None:
        self.storage = FakeStorage()
        registry = Registry()
        registry.add_device(make_device())
        registry.put_sensors([SENSOR, OTHER])
        registry.add_actuator(make_actuator(gpio=20))
        numbers = count(1)
        self.service = Rehearse(
            relive=FakeRelive(self.storage),
            registry=registry,
            clock=FakeClock(start=START),
            new_id=lambda: UUID(int=next(numbers)),
        )

    def stores(
        self, *values: float, sensor: Sensor = SENSOR, since: datetime = START - timedelta(days=1)
    ) -> None:
        for number, value in enumerate(values):
            at = since + number * MINUTE
            reading = make_reading(
                len(self.storage.readings.rows) + 1,
                sensor=sensor,
                value=value,
                measured_at=at,
                received_at=at,
            )
            self.storage.readings.rows.append(reading)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---------------------------------------------------------------- on given values


def test_a_rule_fires_on_values_that_are_given_and_says_what_it_would_send(bench: Bench) -> None:
    trial = bench.service.test(RULE, [Sample(SENSOR.key, 21.0)])
    assert trial.fires
    assert [(step.action, after) for step, after in trial.commands] == [
        (CommandAction.ON, timedelta(0)),
        (CommandAction.OFF, 2 * MINUTE),
    ]


def test_a_value_that_is_not_given_is_missing_and_never_zero(bench: Bench) -> None:
    bench.stores(30.0, since=START - MINUTE)  # what is stored does not count
    cold = replace(RULE, condition=Threshold(sensor=SENSOR.key, limit=Limit(Operator.LT, 5.0)))
    for rule in (RULE, cold):
        trial = bench.service.test(rule, [Sample(OTHER.key, 21.0)])
        assert not trial.fires
        assert trial.explanation.holds is None
        assert trial.commands == ()


def test_several_values_of_a_sensor_are_lived_through(bench: Bench) -> None:
    between = replace(
        RULE,
        condition=Hysteresis(sensor=SENSOR.key, activate=20, deactivate=18, rising=True),
    )
    given = [Sample(SENSOR.key, 19.0, START), Sample(SENSOR.key, 21.0, START - MINUTE)]
    assert bench.service.test(between, given).fires
    assert not bench.service.test(between, given[:1]).fires


def test_devices_are_as_they_are_known(bench: Bench) -> None:
    there = DeviceIs(esp_id="ESP_12AB34", status=DeviceStatus.ONLINE)
    rule = replace(RULE, condition=AllOf((there, WARM)))
    assert bench.service.test(rule, [Sample(SENSOR.key, 21.0)]).fires


def test_a_value_from_after_the_instant_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInputError, match="after the instant"):
        bench.service.test(RULE, [Sample(SENSOR.key, 21.0, START + MINUTE)])


# ---------------------------------------------------------------- on what was stored


async def test_a_backtest_says_when_a_rule_would_have_fired(bench: Bench) -> None:
    since = START - timedelta(days=20)
    bench.stores(19, 21, 19, 22, since=since)
    bench.stores(19, 21, since=START - timedelta(days=6))
    found = await bench.service.backtest(RULE, since, START)
    assert [firing.at for firing in found.firings] == [
        since + MINUTE,
        since + 3 * MINUTE,
        START - timedelta(days=6) + MINUTE,
    ]
    assert found.readings == 6
    assert found.use[PUMP].on_for == 3 * MINUTE


async def test_the_last_value_from_before_is_known_at_the_beginning(bench: Bench) -> None:
    bench.stores(21.0, since=START - 10 * MINUTE)
    found = await bench.service.backtest(RULE, START - 5 * MINUTE, START)
    assert [firing.at for firing in found.firings] == [START - 5 * MINUTE]
    assert found.readings == 0


async def test_what_came_late_came_late_also_across_stretches_of_the_past(bench: Bench) -> None:
    border = START - timedelta(days=10) + relive.FIRST
    bench.stores(21.0, since=border - 2 * MINUTE)
    (late,) = bench.storage.readings.rows
    bench.storage.readings.rows[:] = [late._replace(received_at=border + 3 * MINUTE)]
    found = await bench.service.backtest(RULE, START - timedelta(days=10), START)
    (firing,) = found.firings
    assert firing.at == border + 3 * MINUTE
    assert firing.explanation.seen[0].age == 5 * MINUTE


async def test_bad_readings_do_nothing(bench: Bench) -> None:
    bench.stores(21.0)
    (bad,) = bench.storage.readings.rows
    worse = bad.measurement._replace(quality=Quality.BAD)
    bench.storage.readings.rows[:] = [bad._replace(measurement=worse)]
    found = await bench.service.backtest(RULE, START - timedelta(days=2), START)
    assert (found.firing_count, found.readings) == (0, 0)


async def test_a_sensor_that_is_not_there_has_no_past(bench: Bench) -> None:
    gone = replace(RULE, condition=replace(WARM, sensor=make_sensor(gpio=99).key))
    found = await bench.service.backtest(gone, START - timedelta(days=2), START)
    assert found.firing_count == 0


async def test_old_and_new_are_compared_over_the_same_time(bench: Bench) -> None:
    since = START - timedelta(days=3)
    bench.stores(19, 21, 19, 23, 19, since=since)
    new = replace(RULE, condition=replace(WARM, limit=Limit(Operator.GT, 22.0)), enabled=False)
    found = await bench.service.compare(RULE, new)
    assert found.gone == [since + MINUTE]
    assert found.come == []
    assert (found.old.firing_count, found.new.firing_count) == (2, 1)
    with pytest.raises(BadInputError):
        await bench.service.compare(RULE, new, timedelta(0))


async def test_times_that_are_not_are_refused(bench: Bench) -> None:
    for start, end in ((START, START), (START - MINUTE, START + MINUTE)):
        with pytest.raises(BadInputError, match="from must lie before to"):
            await bench.service.backtest(RULE, start, end)
    with pytest.raises(BadInputError, match="days at most"):
        await bench.service.backtest(RULE, START - timedelta(days=2000), START)


async def test_a_rule_that_takes_doubtful_values_is_not_backtested(bench: Bench) -> None:
    whatever = replace(RULE, condition=replace(WARM, any_quality=True))
    for ask in (bench.service.backtest, bench.service.start):
        with pytest.raises(BadInputError, match="lived through with good values"):
            await ask(whatever, START - MINUTE, START)  # type: ignore[misc]  # it raises


async def test_who_waits_too_long_is_told_to_start_it(bench: Bench) -> None:
    bench.service.patience = 0.0
    with pytest.raises(OverloadedError, match="startBacktest"):
        await bench.service.backtest(RULE, START - timedelta(days=30), START)


# ---------------------------------------------------------------- in the background


async def test_what_was_started_comes_to_its_end_beside(bench: Bench) -> None:
    bench.stores(21.0)
    run = bench.service.start(RULE, START - timedelta(days=2), START)
    assert (run.state, bench.service.find(run.id)) == (RunState.WAITING, run)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(bench.service.run())
        await eventually(lambda: run.over)
        again = bench.service.start(RULE, START - timedelta(days=2), START)
        await eventually(lambda: again.over)
        working.cancel()
    assert (run.state, run.progress) == (RunState.DONE, 1.0)
    assert run.result is not None
    assert run.result.firing_count == 1


async def test_what_was_started_can_be_cancelled_once(bench: Bench) -> None:
    run = bench.service.start(RULE, START - timedelta(days=2), START)
    assert bench.service.cancel(run.id).state is RunState.CANCELLED
    with pytest.raises(ConflictError):
        bench.service.cancel(run.id)
    with pytest.raises(NotFoundError):
        bench.service.cancel(UUID(int=99))


async def test_a_run_that_is_under_way_stops_where_it_is(bench: Bench) -> None:
    bench.stores(21.0)
    run = bench.service.start(RULE, START - timedelta(days=900), START)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(bench.service.run())
        await until(lambda: run.state is RunState.RUNNING)
        bench.service.cancel(run.id)
        await eventually(lambda: run.over)
        working.cancel()
    assert run.state is RunState.CANCELLED
    assert run.result is None


async def test_a_run_that_finds_no_database_says_so(bench: Bench) -> None:
    bench.storage.available = False
    run = bench.service.start(RULE, START - timedelta(days=2), START)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(bench.service.run())
        await eventually(lambda: run.over)
        working.cancel()
    assert run.state is RunState.FAILED
    assert run.reason


def test_only_so_many_wait_and_only_so_many_are_kept(bench: Bench) -> None:
    for _ in range(rehearse.MOST_KEPT + 5):
        run = bench.service.start(RULE, START - MINUTE, START)
        bench.service.cancel(run.id)
    assert bench.service.find(UUID(int=5)) is None
    assert bench.service.find(UUID(int=6)) is not None
    for _ in range(rehearse.MOST_WAITING):
        bench.service.start(RULE, START - MINUTE, START)
    with pytest.raises(OverloadedError):
        bench.service.start(RULE, START - MINUTE, START)
