"""What live rules decide is what a rehearsal of the same past finds, with the same explanations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import example, given, settings

from domain.rule_executions import StoredRule
from domain.rules.conditions import Stale
from domain.rules.decide import Step
from domain.rules.explain import explanation_json
from domain.rules.model import NotifyStep, Rule
from domain.rules.replay import Replay
from domain.sensors import Measurement, ProcessingMode, Reading
from domain.system_events import Severity
from tests.automation import Greenhouse, Memory
from tests.conditions import DEVICES, NOON, SENSORS
from tests.fakes import FakeClock
from tests.makers import make_device, make_sensor
from tests.unit.test_rules_replay import (
    WARM,
    Received,
    columns,
    each_minute,
    pasts,
    rule_of,
    rules,
)

SECOND = timedelta(seconds=1)
QUIET = timedelta(minutes=20)
TELL = NotifyStep("It is so.", Severity.INFO)


class Fired(NamedTuple):
    """An execution.

    Attributes:
        why: None: it was decided between two seconds, where live rules look a moment later.
    """

    at: datetime
    why: Mapping[str, Any] | None


class Live:
    """A rule at work, whose every decision is taken out before it is carried out."""

    def __init__(self, rule: Rule) -> None:
        self.house = Greenhouse(Memory(clock=FakeClock(start=NOON)))
        for esp_id in DEVICES:
            self.house.registry.add_device(make_device(esp_id))
        self.sensors = {
            key: make_sensor(key.esp_id, key.gpio, id=number)
            for number, key in enumerate(SENSORS, start=1)
        }
        self.house.registry.put_sensors(self.sensors.values())
        self.house.automate.put(StoredRule(rule=rule, created_at=NOON, updated_at=NOON))
        live = self.house.automate.get(rule.id)
        assert live is not None
        self._jobs = live.jobs

    def look(self, now: datetime) -> Iterator[Fired]:
        """Look at the clock, as it is at some second."""
        self.house.clock.start = now
        self.house.automate.look()
        return self._fired()

    def hear(self, received: Received) -> Iterator[Fired]:
        """Take a reading in."""
        found = received.seen
        reading = Reading(
            id=found.reading_id,
            sensor=self.sensors[received.key],
            measured_at=found.measured_at,
            received_at=received.at,
            raw_value=0.0,
            measurement=Measurement(found.value, found.unit, found.quality, ProcessingMode.RAW),
        )
        self.house.world([reading])
        return self._fired()

    def _fired(self) -> Iterator[Fired]:
        while self._jobs:
            job = self._jobs.popleft()
            if job.decision is not None and job.decision.step in {Step.FIRE, Step.HOLD_BEGINS}:
                assert job.verdict is not None
                yield Fired(job.at, explanation_json(job.verdict.explanation))


def lived(rule: Rule, received: Sequence[Received], end: datetime) -> list[Fired]:
    """Live through everything in its order, one look a second."""
    live, now, coming, fired = Live(rule), NOON, list(received), list[Fired]()
    while now <= end:
        fired += live.look(now)
        while coming and coming[0].at <= now:
            fired += live.hear(coming.pop(0))
        now += SECOND
    return fired


def rehearsed(rule: Rule, received: Sequence[Received], end: datetime) -> list[Fired]:
    """Rehearse it, and say what would have been seen at the next full second."""
    replay = Replay(rule, NOON)
    replay.begin({})
    replay.feed(columns(received), end)
    fired = []
    for firing in replay.finish(end).firings:
        late = timedelta(microseconds=-firing.at.microsecond % 1_000_000)
        why = None if late else explanation_json(firing.explanation)
        fired.append(Fired(firing.at + late, why))
    return fired


LASTING = replace(WARM, hold_for=timedelta(seconds=90))


def is_of_readings_and_time(rule: Rule) -> bool:
    """What rules do to actuators is a model in a rehearsal, and the world where they are live."""
    return not rule.watched.actuators


@settings(max_examples=200, deadline=None)
@given(rules.filter(is_of_readings_and_time), pasts())
@example(rule_of(LASTING), each_minute(25.0, 25.0, 15.0, 25.0))
@example(rule_of(Stale(sensor=SENSORS[0], older_than=timedelta(minutes=4))), each_minute(25.0))
def test_live_rules_execute_when_and_why_a_rehearsal_says(
    rule: Rule, received: list[Received]
) -> None:
    rule = replace(rule, actions=(TELL,))
    end = (received[-1].at if received else NOON) + QUIET
    found = lived(rule, received, end)
    expected = rehearsed(rule, received, end)
    assert [one.at for one in found] == [one.at for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert other.why is None or one.why == other.why
